import type { Environment, Outcome, PushMessage } from '@heliograph/core';
import { InFlight } from '../in-flight.ts';
import type { Attempt, Push, PushFeed, PushProvider } from '../push-provider.ts';
import { toUnprocessed } from './answers.ts';
import type { ApnsClient, ApnsPushRequest } from './client.ts';
import { PreparedPush } from './prepared.ts';
import { toApnsToken } from './push-token.ts';

/** Apple recommends no number; ours is long against any answer seen. */
export const APNS_DEADLINE_MS = 10_000;

/** What may stand in `apns-topic`. */
const BUNDLE = /^[\w.-]+$/;

export interface ApnsProviderDeps {
  readonly bundle: string;
  readonly deadlineMs: number;
  readonly maxInFlight: number;
  readonly toEndpoint: (environment: Environment) => string;
  /** Or why there is none. */
  readonly findClient: (environment: Environment) => ApnsClient | Outcome;
  /** Lets go of the clients; those that no other app uses are drained and closed. */
  readonly release: () => Promise<void>;
}

/** One app's way to APNs: its own topic over connections that its team shares. */
export function createApnsProvider(deps: ApnsProviderDeps): PushProvider {
  const { bundle, deadlineMs, maxInFlight, toEndpoint, findClient, release } = deps;
  const prepared = new WeakMap<PushMessage, PreparedPush>();
  const sends = new InFlight(Number.POSITIVE_INFINITY);
  const feeds = new InFlight(Number.POSITIVE_INFINITY);
  let closing = false;

  function prepare(message: PushMessage): PreparedPush {
    const known = prepared.get(message);
    if (known) return known;
    const made = new PreparedPush(message, bundle);
    prepared.set(message, made);
    return made;
  }

  function toRequest(push: Push): ApnsPushRequest | Attempt {
    const token = toApnsToken(push.pushToken);
    if (token === undefined) return { outcome: NO_TOKEN, endpoint: toEndpoint(push.environment) };
    return { token, deliveryId: push.deliveryId, prepared: prepare(push.message) };
  }

  function useClient(environment: Environment): ApnsClient | Outcome {
    if (closing) return toUnprocessed('closing');
    if (!BUNDLE.test(bundle)) return UNUSABLE_BUNDLE;
    return findClient(environment);
  }

  async function send(push: Push): Promise<Attempt> {
    const client = useClient(push.environment);
    if ('kind' in client) return { outcome: client, endpoint: toEndpoint(push.environment) };
    return await client.send(push, toRequest);
  }

  async function feed<P extends Push>(pushes: PushFeed<P>): Promise<void> {
    const client = useClient(pushes.environment);
    if ('kind' in client) return pushes.stop(client);
    await client.feed(pushes, toRequest);
  }

  return {
    deadlineMs,
    maxInFlight,
    send: (push) => sends.run(() => send(push)),
    feed: (pushes) => feeds.run(() => feed(pushes)),
    async close() {
      closing = true;
      await sends.drained();
      // That stops the feeds, unless the connections are another app's too: then these may end.
      await release();
      await feeds.drained();
    },
  };
}

const UNUSABLE_BUNDLE: Outcome = { kind: 'pause', reason: 'unusable_bundle', scope: 'app' };
/** What APNs would say, without asking it: its throughput shrinks with every such answer. */
const NO_TOKEN: Outcome = { kind: 'gone', reason: 'BadDeviceToken', fault: 'wrong_place' };
