import type { Environment, Outcome, PushMessage } from '@heliograph/core';
import { InFlight } from '../in-flight.ts';
import type { Attempt, Push, PushProvider } from '../push-provider.ts';
import { toUnprocessed } from './answers.ts';
import { toApnsPush } from './payload.ts';
import { toApnsToken } from './push-token.ts';
import { APNS_MAX_IN_FLIGHT, type ApnsSession } from './session.ts';

/** Apple recommends no number; ours is long against any answer seen. */
export const APNS_DEADLINE_MS = 10_000;

/** What may stand in `apns-topic`. */
const BUNDLE = /^[\w.-]+$/;

export interface ApnsProviderDeps {
  readonly bundle: string;
  readonly deadlineMs: number;
  readonly toEndpoint: (environment: Environment) => string;
  /** Or why there is none. */
  readonly findSession: (environment: Environment) => ApnsSession | Outcome;
  /** Lets go of the sessions; those that no other app uses are drained and closed. */
  readonly release: () => Promise<void>;
}

interface Prepared {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One app's way to APNs: its own topic over connections that its team shares. */
export function createApnsProvider(deps: ApnsProviderDeps): PushProvider {
  const { bundle, deadlineMs, toEndpoint, findSession, release } = deps;
  const prepared = new WeakMap<PushMessage, Prepared>();
  const inFlight = new InFlight(Number.POSITIVE_INFINITY);
  let closing = false;

  function prepare(message: PushMessage): Prepared {
    const known = prepared.get(message);
    if (known) return known;
    const { headers, payload } = toApnsPush(message, bundle);
    const made = { headers: { ...headers }, body: JSON.stringify(payload) };
    prepared.set(message, made);
    return made;
  }

  async function send(push: Push, signal: AbortSignal): Promise<Attempt> {
    const endpoint = toEndpoint(push.environment);
    if (closing) return { outcome: toUnprocessed('closing'), endpoint };
    if (!BUNDLE.test(bundle)) return { outcome: UNUSABLE_BUNDLE, endpoint };
    const session = findSession(push.environment);
    if ('kind' in session) return { outcome: session, endpoint };
    const token = toApnsToken(push.pushToken);
    if (token === undefined) return { outcome: NO_TOKEN, endpoint };

    const { headers, body } = prepare(push.message);
    const request = { token, headers: { ...headers, 'apns-id': push.deliveryId }, body };
    return await session.send(request, signal);
  }

  return {
    deadlineMs,
    maxInFlight: APNS_MAX_IN_FLIGHT,
    send: (push, signal) => inFlight.run(() => send(push, signal)),
    async close() {
      closing = true;
      await inFlight.drained();
      await release();
    },
  };
}

const UNUSABLE_BUNDLE: Outcome = { kind: 'pause', reason: 'unusable_bundle', scope: 'app' };
/** What APNs would say, without asking it: its throughput shrinks with every such answer. */
const NO_TOKEN: Outcome = { kind: 'gone', reason: 'BadDeviceToken', fault: 'wrong_place' };
