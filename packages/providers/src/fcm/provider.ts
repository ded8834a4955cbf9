import type { Outcome, PushMessage } from '@heliograph/core';
import type { Attempt, Push, PushProvider } from '../push-provider.ts';
import { InFlight } from '../in-flight.ts';
import { toUnsent } from './answers.ts';
import { FCM_MAX_IN_FLIGHT, type FcmClient } from './client.ts';
import { toFcmMessage, type FcmMapping } from './payload.ts';

/** Google: at least 10 s. */
export const FCM_DEADLINE_MS = 15_000;
/** A mapped message is made anew after so long: its time to live counts down. */
const MAPPED_FOR_MS = 1_000;

export interface FcmProviderDeps {
  readonly endpoint: string;
  readonly deadlineMs: number;
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
  const { endpoint, deadlineMs, mapping, now, findClient, release } = deps;
  const mapped = new WeakMap<PushMessage, Mapped>();
  const inFlight = new InFlight(Number.POSITIVE_INFINITY);
  let closing = false;

  function toJson(message: PushMessage): string {
    const at = now();
    const known = mapped.get(message);
    if (known && at.getTime() < known.untilMs) return known.json;
    const json = JSON.stringify(toFcmMessage(message, at, mapping));
    mapped.set(message, { json, untilMs: at.getTime() + MAPPED_FOR_MS });
    return json;
  }

  async function send({ message, pushToken }: Push, signal: AbortSignal): Promise<Attempt> {
    if (closing) return { outcome: toUnsent('closing'), endpoint };
    const client = findClient();
    if ('kind' in client) return { outcome: client, endpoint };
    // The message is never `{}`: it goes behind the token without being serialised again.
    const body = `{"message":{"token":${JSON.stringify(pushToken)},${toJson(message).slice(1)}}`;
    return await client.send(body, signal);
  }

  return {
    deadlineMs,
    maxInFlight: FCM_MAX_IN_FLIGHT,
    send: (push, signal) => inFlight.run(() => send(push, signal)),
    async close() {
      closing = true;
      await inFlight.drained();
      await release();
    },
  };
}
