import { createApnsProviders, type ApnsClientName } from './apns/providers.ts';
import type { Credential, ProviderEndpoints } from './credential.ts';
import type { FcmMapping } from './fcm/payload.ts';
import { createFcmProviders } from './fcm/providers.ts';
import { createProxyProviders } from './proxy/providers.ts';
import { toUnprocessed } from './proxy/unanswered.ts';
import type { ProviderLog, PushProvider } from './push-provider.ts';
import type { ConnectLimits } from './session-pool/connect-budget.ts';
import { createMemoryTokenStore, type TokenStore } from './tokens/token-store.ts';

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
  /** How long a single push waits for a token and a stream; by default 2.5 s. */
  readonly waitMs?: number;
  /** How long an answer may take, ms. For tests: the defaults are the vendors' advice. */
  readonly deadlinesMs?: { readonly apns?: number; readonly fcm?: number; readonly proxy?: number };
  /** How often connections to a host may be opened. For tests: the defaults are what a vendor puts up with. */
  readonly connectLimits?: ConnectLimits;
}

export interface ProviderPool {
  /**
   * The provider of a credential, the same one until the credential changes. Makes no connection; a key that is
   * unusable shows as a pause of every push. The provider of an older version is drained and closed.
   */
  get(credential: Credential): PushProvider;
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
  const { connectLimits, waitMs } = deps;
  const shared = {
    store: deps.tokens ?? createMemoryTokenStore(),
    log,
    now,
    connectLimits,
    waitMs,
  };
  const apns = createApnsProviders({
    ...shared,
    endpoints: endpoints.apns,
    client: deps.apnsClient,
    deadlineMs: deadlinesMs.apns,
  });
  const fcm = createFcmProviders({
    ...shared,
    endpoints: endpoints.fcm,
    mapping: deps.fcm,
    deadlineMs: deadlinesMs.fcm,
  });
  const proxies = createProxyProviders({
    now,
    waitMs,
    endpoints: endpoints.proxy,
    deadlineMs: deadlinesMs.proxy,
  });
  const clients = [apns.clients, fcm.clients, proxies.clients];
  const providers = new Map<string, Known>();
  const replaced = new Set<Promise<void>>();

  const idleTimer = setInterval(() => {
    for (const one of clients) one.closeIdle(idleMs);
  }, idleMs / 2).unref();

  function open(credential: Credential): PushProvider {
    if (credential.route === 'proxy') return proxies.open(credential);
    return credential.provider === 'apns' ? apns.open(credential) : fcm.open(credential);
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

    async close() {
      clearInterval(idleTimer);
      for (const { provider } of providers.values()) retire(provider);
      providers.clear();
      await Promise.all(replaced);
      await Promise.all(clients.map((one) => one.close()));
    },

    abandon() {
      for (const one of clients) one.abandon();
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

const SILENT: ProviderLog = { info: () => undefined, warn: () => undefined };
