import type { Outcome, PushMessage } from '@heliograph/core';
import type { Attempt, Push, PushFeed, PushProvider } from '../push-provider.ts';
import { InFlight } from '../in-flight.ts';
import { toUnprocessed } from './answers.ts';
import type { FcmClient } from './client.ts';
import { toFcmMessage, type FcmMapping } from './payload.ts';

/** Google: at least 10 s. */
export const FCM_DEADLINE_MS = 15_000;
/** A mapped message is made anew after so long: its time to live counts down. */
const MAPPED_FOR_MS = 1_000;

export interface FcmProviderDeps {
  readonly endpoint: string;
  readonly deadlineMs: number;
  readonly maxInFlight: number;
  readonly mapping: FcmMapping;
  readonly now: () => Date;
  /** Or why there is none. */
  readonly findClient: () => FcmClient | Outcome;
  /** Lets go of the client; one that no other app uses is drained and closed. */
  readonly release: () => Promise<void>;
}

interface Mapped {
  readonly json: string;
  readonly untilMs: number;
}

/** One app's way to FCM. */
export function createFcmProvider(deps: FcmProviderDeps): PushProvider {
  const { endpoint, deadlineMs, maxInFlight, mapping, now, findClient, release } = deps;
  const mapped = new WeakMap<PushMessage, Mapped>();
  const sends = new InFlight(Number.POSITIVE_INFINITY);
  const feeds = new InFlight(Number.POSITIVE_INFINITY);
  const head = mapping.validateOnly === true ? '"validate_only":true,' : '';
  let closing = false;

  /** Without its opening brace. */
  function toJson(message: PushMessage): string {
    const at = now();
    const known = mapped.get(message);
    if (known && at.getTime() < known.untilMs) return known.json;
    const json = JSON.stringify(toFcmMessage(message, at, mapping)).slice(1);
    mapped.set(message, { json, untilMs: at.getTime() + MAPPED_FOR_MS });
    return json;
  }

  function toBody({ message, pushToken }: Push): string {
    // The message is never `{}`: it goes behind the token without being serialised again.
    return `{${head}"message":{"token":${JSON.stringify(pushToken)},${toJson(message)}}`;
  }

  const useClient = () => (closing ? toUnprocessed('closing') : findClient());

  async function send(push: Push): Promise<Attempt> {
    const client = useClient();
    if ('kind' in client) return { outcome: client, endpoint };
    return await client.send(push, toBody);
  }

  async function feed<P extends Push>(pushes: PushFeed<P>): Promise<void> {
    const client = useClient();
    if ('kind' in client) return pushes.stop(client);
    await client.feed(pushes, toBody);
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
