import type { Environment, Outcome } from '@heliograph/core';

import { InFlight } from './in-flight.ts';
import type { Attempt, Push, PushFeed, PushProvider } from './push-provider.ts';
import type { SharedClient, SharedClients } from './shared-clients.ts';

/** How long a single push waits for a token and a stream. With the longest answer it stays within the shortest lease, with room to record it. */
export const WAIT_MS = 2_500;
/** More single pushes at once than that find no stream in time. */
export const MAX_IN_FLIGHT = 1_000;

/** The way to a provider, which apps may share. `R` says how an app's push becomes a request. */
export interface PushClient<R> extends SharedClient {
  send(push: Push, toRequest: R): Promise<Attempt>;
  feed<P extends Push>(feed: PushFeed<P>, toRequest: R): Promise<void>;
}

export interface AppProviderDeps<R> {
  readonly deadlineMs: number;
  readonly maxInFlight: number;
  readonly toEndpoint: (environment: Environment) => string;
  /** Or why there is none. */
  readonly findClient: (environment: Environment) => PushClient<R> | Outcome;
  readonly toRequest: R;
  /** What becomes of a push once this is closed. */
  readonly closing: Outcome;
  /** Lets go of the clients; those that no other app uses are drained and closed. */
  readonly release: () => Promise<void>;
}

/** One app's way to its provider: requests of its own, over a client that it may share. */
export function createAppProvider<R>(deps: AppProviderDeps<R>): PushProvider {
  const { deadlineMs, maxInFlight, toEndpoint, toRequest, release } = deps;
  const sends = new InFlight(Number.POSITIVE_INFINITY);
  const feeds = new InFlight(Number.POSITIVE_INFINITY);
  let isClosing = false;

  const findClient = (environment: Environment) =>
    isClosing ? deps.closing : deps.findClient(environment);

  async function send(push: Push): Promise<Attempt> {
    const client = findClient(push.environment);
    if ('kind' in client) return { outcome: client, endpoint: toEndpoint(push.environment) };
    return await client.send(push, toRequest);
  }

  async function feed<P extends Push>(pushes: PushFeed<P>): Promise<void> {
    const client = findClient(pushes.environment);
    if ('kind' in client) return pushes.stop(client);
    await client.feed(pushes, toRequest);
  }

  return {
    deadlineMs,
    maxInFlight,
    send: (push) => sends.run(() => send(push)),
    feed: (pushes) => feeds.run(() => feed(pushes)),
    async close() {
      isClosing = true;
      await sends.drained();
      // That stops the feeds, unless the connections are another app's too: then these may end.
      await release();
      await feeds.drained();
    },
  };
}

/** The ways of all apps to one kind of provider. */
export interface AppProviders<C> {
  /** Makes no connection. A key that is unusable shows as a pause of every push. */
  readonly open: (credential: C) => PushProvider;
  /** Who has connections. */
  readonly clients: Pick<SharedClients<SharedClient>, 'closeIdle' | 'close' | 'abandon'>;
}
