import type { Environment, Outcome } from '@heliograph/core';

import { WAIT_MS, type AppProviders } from '../app-provider.ts';
import type { ApnsCredential, ProviderEndpoints } from '../credential.ts';
import type { ProviderLog } from '../push-provider.ts';
import type { ConnectLimits } from '../session-pool/connect-budget.ts';
import { SharedClients } from '../shared-clients.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import { createTrust } from '../trust.ts';
import type { ApnsClient } from './client.ts';
import { ApnsEngineClient } from './engine-client.ts';
import { findIdentityFault, toApnsIdentity, type ApnsIdentity } from './identity.ts';
import { NodeApnClient } from './node-apn/client.ts';
import { APNS_DEADLINE_MS, createApnsProvider } from './provider.ts';
import { createApnsTokens } from './provider-token.ts';

/** What sends to APNs: our own engine, or node-apn as a safety switch. */
export const APNS_CLIENTS = ['engine', 'node-apn'] as const;
export type ApnsClientName = (typeof APNS_CLIENTS)[number];

export interface ApnsProvidersDeps {
  readonly endpoints: ProviderEndpoints['apns'];
  readonly client: ApnsClientName | undefined;
  readonly store: TokenStore;
  readonly log: ProviderLog;
  readonly now: () => Date;
  readonly waitMs: number | undefined;
  readonly deadlineMs: number | undefined;
  readonly connectLimits: ConnectLimits | undefined;
}

/** Apps that sign with the same key share their connections. */
export function createApnsProviders(deps: ApnsProvidersDeps): AppProviders<ApnsCredential> {
  const { endpoints, store, log, now, waitMs = WAIT_MS, deadlineMs = APNS_DEADLINE_MS } = deps;
  const urls = {
    production: new URL(endpoints.production),
    development: new URL(endpoints.development),
  };
  const trust = createTrust(endpoints.ca);
  const clients = new SharedClients<ApnsClient>(now);

  function open(credential: ApnsCredential) {
    const holder = {};
    const { bundle } = credential;
    const identity = toApnsIdentity(credential, endpoints.ca);

    function findClient(environment: Environment): ApnsClient | Outcome {
      if (!identity) return UNUSABLE_KEY;
      const fault = findIdentityFault(identity, bundle, now().getTime());
      if (fault) return fault;
      const url = urls[environment];
      return clients.use(`${url.host} ${identity.name}`, holder, () => openClient(url, identity));
    }

    return createApnsProvider({
      bundle,
      deadlineMs: waitMs + deadlineMs,
      toEndpoint: (environment) => urls[environment].host,
      findClient,
      release: () => clients.release(holder),
    });
  }

  function openClient(url: URL, identity: ApnsIdentity): ApnsClient {
    const isToken = identity.auth === 'token';
    const secureContext = isToken ? trust : identity.secureContext;
    const key = isToken ? identity.key : undefined;
    const options = { url, deadlineMs, log };
    if (deps.client === 'node-apn')
      return new NodeApnClient({ ...options, trust: secureContext, key });
    const tokens = key && createApnsTokens({ key, store, nowMs: () => now().getTime(), log });
    const connecting = deps.connectLimits && { connectLimits: deps.connectLimits };
    const engineOptions = { ...options, ...connecting, secureContext, tokens };
    return new ApnsEngineClient({ ...engineOptions, waitMs, now });
  }

  return { open, clients };
}

const UNUSABLE_KEY: Outcome = { kind: 'pause', reason: 'unusable_key', scope: 'credential' };
