import { createHash } from 'node:crypto';

import type { Outcome } from '@heliograph/core';

import { WAIT_MS, type AppProviders } from '../app-provider.ts';
import type { FcmCredential, ProviderEndpoints } from '../credential.ts';
import type { ProviderLog } from '../push-provider.ts';
import type { ConnectLimits } from '../session-pool/connect-budget.ts';
import { SharedClients } from '../shared-clients.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import { createTrust } from '../trust.ts';
import { FcmClient } from './client.ts';
import type { FcmMapping } from './payload.ts';
import { createFcmProvider, FCM_DEADLINE_MS } from './provider.ts';
import { findServiceAccount } from './service-account.ts';

const PROJECT_ID = /^[A-Za-z0-9-]+$/;

export interface FcmProvidersDeps {
  readonly endpoints: ProviderEndpoints['fcm'];
  readonly mapping: FcmMapping | undefined;
  readonly store: TokenStore;
  readonly log: ProviderLog;
  readonly now: () => Date;
  readonly waitMs: number | undefined;
  readonly deadlineMs: number | undefined;
  readonly connectLimits: ConnectLimits | undefined;
}

/** Apps that send to the same project by the same service account share their connections. */
export function createFcmProviders(deps: FcmProvidersDeps): AppProviders<FcmCredential> {
  const { endpoints, store, log, now, waitMs = WAIT_MS, deadlineMs = FCM_DEADLINE_MS } = deps;
  const url = new URL(endpoints.url);
  const tokenUrl = new URL(endpoints.tokenUrl);
  const secureContext = createTrust(endpoints.ca);
  const connecting = deps.connectLimits && { connectLimits: deps.connectLimits };
  const shared = { url, tokenUrl, secureContext, store, deadlineMs, waitMs, now, log };
  const clients = new SharedClients<FcmClient>(now);

  function open({ projectId, serviceAccount }: FcmCredential) {
    const holder = {};
    const account = findServiceAccount(serviceAccount);
    const name = `${projectId} ${toFingerprint(serviceAccount)}`;

    function findClient(): FcmClient | Outcome {
      if (!account) return toPause('unusable_key');
      if (!PROJECT_ID.test(projectId)) return toPause('unusable_project_id');
      if (!endpoints.allowedTokenUris.includes(account.tokenUri))
        return toPause('token_uri_not_allowed');
      const options = { ...shared, ...connecting, projectId, account };
      return clients.use(name, holder, () => new FcmClient(options));
    }

    return createFcmProvider({
      endpoint: url.host,
      deadlineMs: waitMs + deadlineMs,
      mapping: deps.mapping ?? {},
      now,
      findClient,
      release: () => clients.release(holder),
    });
  }

  return { open, clients };
}

function toFingerprint(key: string | Buffer): string {
  return createHash('sha256').update(key).digest('hex');
}

function toPause(reason: string): Outcome {
  return { kind: 'pause', reason, scope: 'credential' };
}
