import { createHash } from 'node:crypto';
import type { Environment, Outcome } from '@heliograph/core';
import { findIdentityFault, toApnsIdentity } from './apns/identity.ts';
import { APNS_DEADLINE_MS, createApnsProvider } from './apns/provider.ts';
import { ApnsSession } from './apns/session.ts';
import type { ApnsCredential, Credential, FcmCredential, ProviderEndpoints } from './credential.ts';
import { FcmClient } from './fcm/client.ts';
import type { FcmMapping } from './fcm/payload.ts';
import { createFcmProvider, FCM_DEADLINE_MS } from './fcm/provider.ts';
import { findServiceAccount } from './fcm/service-account.ts';
import type { ProviderLog, PushProvider } from './push-provider.ts';
import { SharedClients } from './shared-clients.ts';
import { createMemoryTokenStore, type TokenStore } from './tokens/token-store.ts';
import { createTrust } from './trust.ts';

const PROJECT_ID = /^[A-Za-z0-9-]+$/;

export interface ProviderPoolDeps {
  readonly endpoints: ProviderEndpoints;
  /** A connection without a push for that long is closed; the next push opens it again. */
  readonly idleMs: number;
  /** Where the fleet shares its provider tokens. Without it this process makes its own. */
  readonly tokens?: TokenStore;
  readonly log?: ProviderLog;
  readonly clock?: () => Date;
  readonly fcm?: FcmMapping;
  /** How long a send may take, ms. For tests: the defaults are the vendors' advice. */
  readonly deadlinesMs?: { readonly apns?: number; readonly fcm?: number };
}

export interface ProviderPool {
  /**
   * The provider of a credential, the same one until the credential changes. Makes no connection; a key that is
   * unusable shows as a pause of every push. The provider of an older version is drained and closed.
   */
  get(credential: Credential): PushProvider;
  /** Waits for the answers still owed, then closes every connection. */
  close(): Promise<void>;
}

interface Known {
  readonly version: number;
  readonly provider: PushProvider;
}

/** Providers by credential. Apps that sign with the same key share their connections. */
export function createProviderPool(deps: ProviderPoolDeps): ProviderPool {
  const { endpoints, idleMs, log = SILENT, clock: now = () => new Date(), deadlinesMs = {} } = deps;
  const store = deps.tokens ?? createMemoryTokenStore();
  const apnsDeadlineMs = deadlinesMs.apns ?? APNS_DEADLINE_MS;
  const fcmDeadlineMs = deadlinesMs.fcm ?? FCM_DEADLINE_MS;
  const apnsUrls = {
    production: new URL(endpoints.apns.production),
    development: new URL(endpoints.apns.development),
  };
  const fcmUrl = new URL(endpoints.fcm.url);
  const tokenUrl = new URL(endpoints.fcm.tokenUrl);
  const apnsTrust = createTrust(endpoints.apns.ca);
  const fcmTrust = createTrust(endpoints.fcm.ca);
  const sessions = new SharedClients<ApnsSession>(now);
  const clients = new SharedClients<FcmClient>(now);
  const providers = new Map<string, Known>();
  const replaced = new Set<Promise<void>>();

  const idleTimer = setInterval(() => {
    sessions.closeIdle(idleMs);
    clients.closeIdle(idleMs);
  }, idleMs / 2).unref();

  function openApns(credential: ApnsCredential): PushProvider {
    const holder = {};
    const { bundle } = credential;
    const identity = toApnsIdentity(credential, endpoints.apns.ca);

    function findSession(environment: Environment): ApnsSession | Outcome {
      if (!identity) return toPause('unusable_key');
      const fault = findIdentityFault(identity, bundle, now().getTime());
      if (fault) return fault;
      const url = apnsUrls[environment];
      const shown =
        identity.auth === 'token'
          ? { trust: apnsTrust, key: identity.key }
          : { trust: identity.secureContext, key: undefined };
      const options = { url, ...shown, deadlineMs: apnsDeadlineMs, log };
      return sessions.use(`${url.host} ${identity.name}`, holder, () => new ApnsSession(options));
    }

    return createApnsProvider({
      bundle,
      deadlineMs: apnsDeadlineMs,
      toEndpoint: (environment) => apnsUrls[environment].host,
      findSession,
      release: () => sessions.release(holder),
    });
  }

  function openFcm({ projectId, serviceAccount }: FcmCredential): PushProvider {
    const holder = {};
    const account = findServiceAccount(serviceAccount);
    const identity = `${projectId} ${toFingerprint(serviceAccount)}`;

    function findClient(): FcmClient | Outcome {
      if (!account) return toPause('unusable_key');
      if (!PROJECT_ID.test(projectId)) return toPause('unusable_project_id');
      if (!endpoints.fcm.allowedTokenUris.includes(account.tokenUri))
        return toPause('token_uri_not_allowed');
      const options = { url: fcmUrl, tokenUrl, projectId, account, trust: fcmTrust };
      const shared = { store, deadlineMs: fcmDeadlineMs, now, log };
      return clients.use(identity, holder, () => new FcmClient({ ...options, ...shared }));
    }

    return createFcmProvider({
      endpoint: fcmUrl.host,
      deadlineMs: fcmDeadlineMs,
      mapping: deps.fcm ?? {},
      now,
      findClient,
      release: () => clients.release(holder),
    });
  }

  function retire(provider: PushProvider): void {
    const closed = provider.close();
    replaced.add(closed);
    void closed.finally(() => replaced.delete(closed));
  }

  return {
    get(credential) {
      const id = `${credential.provider} ${credential.id}`;
      const known = providers.get(id);
      // A reader that is behind gets the newer one: two versions in turn would open and close connections without end.
      if (known && known.version >= credential.version) return known.provider;

      const provider = credential.provider === 'apns' ? openApns(credential) : openFcm(credential);
      providers.set(id, { version: credential.version, provider });
      if (known) {
        log.info(
          { provider: credential.provider, credential: credential.id },
          'credential replaced',
        );
        retire(known.provider);
      }
      return provider;
    },

    async close() {
      clearInterval(idleTimer);
      for (const { provider } of providers.values()) retire(provider);
      providers.clear();
      await Promise.all(replaced);
      await Promise.all([sessions.close(), clients.close()]);
    },
  };
}

function toFingerprint(key: string | Buffer): string {
  return createHash('sha256').update(key).digest('hex');
}

function toPause(reason: string): Outcome {
  return { kind: 'pause', reason, scope: 'credential' };
}

const SILENT: ProviderLog = { info: () => undefined, warn: () => undefined };
