import type { Outcome, PushMessage } from '@heliograph/core';

import { InFlight } from '../in-flight.ts';
import type { Attempt, Push, PushFeed, PushProvider } from '../push-provider.ts';
import { toProxyBody, type ProxyRoute } from './body.ts';
import type { ProxyClient } from './client.ts';
import { toUnprocessed } from './unanswered.ts';

/** From the search for the address to the last byte of the answer; nobody documents a time. */
export const PROXY_DEADLINE_MS = 10_000;
/** Connections to one proxy, each with one request at a time. */
export const PROXY_CONNECTIONS = 8;

export interface ProxyProviderDeps {
  readonly route: ProxyRoute;
  readonly endpoint: string;
  readonly deadlineMs: number;
  /** Or why there is none. */
  readonly findClient: () => ProxyClient | Outcome;
  /** Lets go of the client, which is drained and closed. */
  readonly release: () => Promise<void>;
}

/** One app's way to its customer's proxy. */
export function createProxyProvider(deps: ProxyProviderDeps): PushProvider {
  const { route, endpoint, deadlineMs, findClient, release } = deps;
  const written = new WeakMap<PushMessage, string>();
  const sends = new InFlight(Number.POSITIVE_INFINITY);
  const feeds = new InFlight(Number.POSITIVE_INFINITY);
  let closing = false;

  /** Without its opening brace. */
  function write(message: PushMessage): string {
    const known = written.get(message);
    if (known !== undefined) return known;
    const json = JSON.stringify(toProxyBody(message, route)).slice(1);
    written.set(message, json);
    return json;
  }

  function toJson({ message, pushToken }: Push): string {
    // The message is never `{}`: it goes behind the token without being serialised again.
    return `{"device-token":${JSON.stringify(pushToken)},${write(message)}`;
  }

  const useClient = () => (closing ? toUnprocessed('closing') : findClient());

  async function send(push: Push): Promise<Attempt> {
    const client = useClient();
    if ('kind' in client) return { outcome: client, endpoint };
    return await client.send(push, toJson);
  }

  async function feed<P extends Push>(pushes: PushFeed<P>): Promise<void> {
    const client = useClient();
    if ('kind' in client) return pushes.stop(client);
    await client.feed(pushes, toJson);
  }

  return {
    deadlineMs,
    maxInFlight: PROXY_CONNECTIONS,
    send: (push) => sends.run(() => send(push)),
    feed: (pushes) => feeds.run(() => feed(pushes)),
    async close() {
      closing = true;
      await sends.drained();
      // That stops the feeds.
      await release();
      await feeds.drained();
    },
  };
}
