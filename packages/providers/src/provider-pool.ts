import { createHash } from 'node:crypto';
import type { Environment, Outcome, Provider } from '@heliograph/core';
import type { Goaway } from '@heliograph/http2';
import { createGuardedAgent } from '@heliograph/outbound';
import type { ApnsClient } from './apns/client.ts';
import { ApnsEngineClient } from './apns/engine-client.ts';
import { findIdentityFault, toApnsIdentity, type ApnsIdentity } from './apns/identity.ts';
import { NodeApnClient } from './apns/node-apn/client.ts';
import { APNS_DEADLINE_MS, createApnsProvider } from './apns/provider.ts';
import { createApnsTokens } from './apns/provider-token.ts';
import type {
  ApnsCredential,
  Credential,
  FcmCredential,
  ProviderEndpoints,
  ProxyCredential,
} from './credential.ts';
import { FcmClient } from './fcm/client.ts';
import type { FcmMapping } from './fcm/payload.ts';
import { createFcmProvider, FCM_DEADLINE_MS } from './fcm/provider.ts';
import { findServiceAccount } from './fcm/service-account.ts';
import { ProxyClient } from './proxy/client.ts';
import { ProxyHistory } from './proxy/history.ts';
import { findProxyIdentityFault, toProxyIdentity, type ProxyIdentity } from './proxy/identity.ts';
import { createProxyProvider, PROXY_CONNECTIONS, PROXY_DEADLINE_MS } from './proxy/provider.ts';
import { toUnprocessed } from './proxy/unanswered.ts';
import type { ProviderLog, PushProvider } from './push-provider.ts';
import type { ConnectLimits } from './session-pool/connect-budget.ts';
import { SharedClients, type ClientLoad } from './shared-clients.ts';
import { createMemoryTokenStore, type TokenStore } from './tokens/token-store.ts';
import { createTrust } from './trust.ts';

const PROJECT_ID = /^[A-Za-z0-9-]+$/;
/** How long a single push waits for a token and a stream. With the longest answer it stays within the shortest lease, with room to record it. */
const WAIT_MS = 2_500;
/** More single pushes at once than that find no stream in time. */
const MAX_IN_FLIGHT = 1_000;

/** What sends to APNs: our own engine, or node-apn as a safety switch. */
export const APNS_CLIENTS = ['engine', 'node-apn'] as const;
export type ApnsClientName = (typeof APNS_CLIENTS)[number];

export interface ProviderPoolDeps {
  readonly endpoints: ProviderEndpoints;
  /** A connection without a push for that long is closed; the next push opens it again. */
  readonly idleMs: number;
  /** Where the fleet shares its provider tokens. Without it this process makes its own. */
  readonly tokens?: TokenStore;
  readonly log?: ProviderLog;
  readonly clock?: () => Date;
  readonly fcm?: FcmMapping;
  /** By default `engine`. */
  readonly apnsClient?: ApnsClientName;
  /** How long an answer may take, ms. For tests: the defaults are the vendors' advice. */
  readonly deadlinesMs?: { readonly apns?: number; readonly fcm?: number; readonly proxy?: number };
  /** How often connections to a host may be opened. For tests: the defaults are what a vendor puts up with. */
  readonly connectLimits?: ConnectLimits;
  /** A provider sent a connection away; `code` is the name of HTTP/2's, or `error` and a number that has none. */
  readonly onGoaway?: (provider: Provider, code: string) => void;
}

/** Whom connections lead to. */
export type PoolTarget = Provider | 'proxy';

export interface ProviderPool {
  /**
   * The provider of a credential, the same one until the credential changes. Makes no connection; a key that is
   * unusable shows as a pause of every push. The provider of an older version is drained and closed.
   */
  get(credential: Credential): PushProvider;
  /** What is open and under way at this moment. */
  loads(): Readonly<Record<PoolTarget, ClientLoad>>;
  /** Waits for the answers still owed, then closes every connection. */
  close(): Promise<void>;
  /** Waits no longer for answers: what is under way ends as ambiguous. */
  abandon(): void;
}

interface Known {
  readonly version: number;
  readonly route: Credential['route'];
  readonly provider: PushProvider;
}

/** Providers by credential. Apps that sign with the same key share their connections. */
export function createProviderPool(deps: ProviderPoolDeps): ProviderPool {
  const { endpoints, idleMs, log = SILENT, clock: now = () => new Date(), deadlinesMs = {} } = deps;
  const store = deps.tokens ?? createMemoryTokenStore();
  const apnsDeadlineMs = deadlinesMs.apns ?? APNS_DEADLINE_MS;
  const fcmDeadlineMs = deadlinesMs.fcm ?? FCM_DEADLINE_MS;
  const proxyDeadlineMs = deadlinesMs.proxy ?? PROXY_DEADLINE_MS;
  const connecting = deps.connectLimits && { connectLimits: deps.connectLimits };
  const apnsUrls = {
    production: new URL(endpoints.apns.production),
    development: new URL(endpoints.apns.development),
  };
  const fcmUrl = new URL(endpoints.fcm.url);
  const tokenUrl = new URL(endpoints.fcm.tokenUrl);
  const apnsTrust = createTrust(endpoints.apns.ca);
  const fcmTrust = createTrust(endpoints.fcm.ca);
  const apnsClients = new SharedClients<ApnsClient>(now);
  const fcmClients = new SharedClients<FcmClient>(now);
  const proxyClients = new SharedClients<ProxyClient>(now);
  const providers = new Map<string, Known>();
  const replaced = new Set<Promise<void>>();

  const idleTimer = setInterval(() => {
    apnsClients.closeIdle(idleMs);
    fcmClients.closeIdle(idleMs);
    proxyClients.closeIdle(idleMs);
  }, idleMs / 2).unref();

  function open(credential: Credential): PushProvider {
    if (credential.route === 'proxy') return openProxy(credential);
    return credential.provider === 'apns' ? openApns(credential) : openFcm(credential);
  }

  function openApns(credential: ApnsCredential): PushProvider {
    const holder = {};
    const { bundle } = credential;
    const identity = toApnsIdentity(credential, endpoints.apns.ca);

    function findClient(environment: Environment): ApnsClient | Outcome {
      if (!identity) return toPause('unusable_key');
      const fault = findIdentityFault(identity, bundle, now().getTime());
      if (fault) return fault;
      const url = apnsUrls[environment];
      const name = `${url.host} ${identity.name}`;
      return apnsClients.use(name, holder, () => openApnsClient(url, identity));
    }

    return createApnsProvider({
      bundle,
      deadlineMs: WAIT_MS + apnsDeadlineMs,
      maxInFlight: MAX_IN_FLIGHT,
      toEndpoint: (environment) => apnsUrls[environment].host,
      findClient,
      release: () => apnsClients.release(holder),
    });
  }

  function openApnsClient(url: URL, identity: ApnsIdentity): ApnsClient {
    const isToken = identity.auth === 'token';
    const secureContext = isToken ? apnsTrust : identity.secureContext;
    const key = isToken ? identity.key : undefined;
    const options = { url, deadlineMs: apnsDeadlineMs, log };
    if (deps.apnsClient === 'node-apn')
      return new NodeApnClient({ ...options, trust: secureContext, key });
    const tokens = key && createApnsTokens({ key, store, nowMs: () => now().getTime(), log });
    const onGoaway = toGoawayListener('apns');
    const engineOptions = { ...options, ...connecting, secureContext, tokens, onGoaway };
    return new ApnsEngineClient({ ...engineOptions, waitMs: WAIT_MS, now });
  }

  function toGoawayListener(provider: Provider) {
    return ({ code }: Goaway) => deps.onGoaway?.(provider, code);
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
      const options = { url: fcmUrl, tokenUrl, projectId, account, secureContext: fcmTrust };
      const shared = { store, deadlineMs: fcmDeadlineMs, waitMs: WAIT_MS, now, log, ...connecting };
      const onGoaway = toGoawayListener('fcm');
      return fcmClients.use(
        identity,
        holder,
        () => new FcmClient({ ...options, ...shared, onGoaway }),
      );
    }

    return createFcmProvider({
      endpoint: fcmUrl.host,
      deadlineMs: WAIT_MS + fcmDeadlineMs,
      maxInFlight: MAX_IN_FLIGHT,
      mapping: deps.fcm ?? {},
      now,
      findClient,
      release: () => fcmClients.release(holder),
    });
  }

  function openProxy(credential: ProxyCredential): PushProvider {
    const holder = {};
    const identity = toProxyIdentity(credential, endpoints.proxy);
    // It outlives connections: what is idle for long is closed, and forgets nothing.
    const history = new ProxyHistory(() => now().getTime());

    function findClient(): ProxyClient | Outcome {
      if ('kind' in identity) return identity;
      const fault = findProxyIdentityFault(identity, now().getTime());
      if (fault) return fault;
      const name = `${credential.provider} ${credential.id} ${credential.version}`;
      return proxyClients.use(name, holder, () => openProxyClient(credential, identity, history));
    }

    return createProxyProvider({
      route: credential,
      endpoint: 'kind' in identity ? '' : identity.url.host,
      deadlineMs: WAIT_MS + proxyDeadlineMs,
      findClient,
      release: () => proxyClients.release(holder),
    });
  }

  function openProxyClient(
    policy: ProxyCredential,
    { url, ca, shown, authorization }: ProxyIdentity,
    history: ProxyHistory,
  ): ProxyClient {
    const { allowPrivateAddresses } = endpoints.proxy;
    const connections = PROXY_CONNECTIONS;
    const agent = createGuardedAgent({ allowPrivateAddresses, ca, ...shown, connections });
    const shared = { connections, deadlineMs: proxyDeadlineMs, waitMs: WAIT_MS, now };
    return new ProxyClient({ agent, url, authorization, policy, history, ...shared });
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
      // A reader that is behind gets the newer one: two versions in turn would open and close connections without end. But not one that goes
      // another way: what was decided for its push, such as a host of APNs, is no good there.
      if (known && known.version >= credential.version)
        return known.route === credential.route ? known.provider : SUPERSEDED;

      const provider = open(credential);
      const { version, route } = credential;
      providers.set(id, { version, route, provider });
      if (known) {
        log.info(
          { provider: credential.provider, credential: credential.id },
          'credential replaced',
        );
        retire(known.provider);
      }
      return provider;
    },

    loads: () => ({
      apns: apnsClients.load,
      fcm: fcmClients.load,
      proxy: proxyClients.load,
    }),

    async close() {
      clearInterval(idleTimer);
      for (const { provider } of providers.values()) retire(provider);
      providers.clear();
      await Promise.all(replaced);
      await Promise.all([apnsClients.close(), fcmClients.close(), proxyClients.close()]);
    },

    abandon() {
      apnsClients.abandon();
      fcmClients.abandon();
      proxyClients.abandon();
    },
  };
}

/** Its pushes are for whoever claims them next, with the credential that there is then. */
const SUPERSEDED: PushProvider = {
  deadlineMs: 0,
  maxInFlight: 1_000,
  send: () => Promise.resolve({ outcome: toUnprocessed('closing'), endpoint: '' }),
  feed: (feed) => Promise.resolve(feed.stop(toUnprocessed('closing'))),
  close: () => Promise.resolve(),
};

function toFingerprint(key: string | Buffer): string {
  return createHash('sha256').update(key).digest('hex');
}

function toPause(reason: string): Outcome {
  return { kind: 'pause', reason, scope: 'credential' };
}

const SILENT: ProviderLog = { info: () => undefined, warn: () => undefined };
