import type { Outcome } from '@heliograph/core';
import { createGuardedAgent } from '@heliograph/outbound';

import { WAIT_MS, type AppProviders } from '../app-provider.ts';
import type { ProviderEndpoints, ProxyCredential } from '../credential.ts';
import { SharedClients } from '../shared-clients.ts';
import { ProxyClient } from './client.ts';
import { ProxyHistory } from './history.ts';
import { findProxyIdentityFault, toProxyIdentity, type ProxyIdentity } from './identity.ts';
import { createProxyProvider, PROXY_CONNECTIONS, PROXY_DEADLINE_MS } from './provider.ts';

export interface ProxyProvidersDeps {
  readonly endpoints: ProviderEndpoints['proxy'];
  readonly now: () => Date;
  readonly waitMs: number | undefined;
  readonly deadlineMs: number | undefined;
}

/** Apps share nothing here: each customer has a server of his own. */
export function createProxyProviders(deps: ProxyProvidersDeps): AppProviders<ProxyCredential> {
  const { endpoints, now, waitMs = WAIT_MS, deadlineMs = PROXY_DEADLINE_MS } = deps;
  const clients = new SharedClients<ProxyClient>(now);

  function open(credential: ProxyCredential) {
    const holder = {};
    const identity = toProxyIdentity(credential, endpoints);
    // It outlives connections: what is idle for long is closed, and forgets nothing.
    const history = new ProxyHistory(() => now().getTime());

    function findClient(): ProxyClient | Outcome {
      if ('kind' in identity) return identity;
      const fault = findProxyIdentityFault(identity, now().getTime());
      if (fault) return fault;
      const name = `${credential.provider} ${credential.id} ${credential.version}`;
      return clients.use(name, holder, () => openClient(credential, identity, history));
    }

    return createProxyProvider({
      route: credential,
      endpoint: 'kind' in identity ? '' : identity.url.host,
      deadlineMs: waitMs + deadlineMs,
      findClient,
      release: () => clients.release(holder),
    });
  }

  function openClient(
    policy: ProxyCredential,
    { url, ca, shown, authorization }: ProxyIdentity,
    history: ProxyHistory,
  ): ProxyClient {
    const { allowPrivateAddresses } = endpoints;
    const connections = PROXY_CONNECTIONS;
    const agent = createGuardedAgent({ allowPrivateAddresses, ca, ...shown, connections });
    const shared = { connections, deadlineMs, waitMs, now };
    return new ProxyClient({ agent, url, authorization, policy, history, ...shared });
  }

  return { open, clients };
}
