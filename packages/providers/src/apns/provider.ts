import type { Outcome, PushMessage } from '@heliograph/core';

import { createAppProvider, MAX_IN_FLIGHT, type AppProviderDeps } from '../app-provider.ts';
import type { Attempt, Push, PushProvider } from '../push-provider.ts';
import { toUnprocessed } from './answers.ts';
import type { ApnsPushRequest, ToApnsRequest } from './client.ts';
import { PreparedPush } from './prepared.ts';
import { toApnsToken } from './push-token.ts';

/** Apple recommends no number; ours is long against any answer seen. */
export const APNS_DEADLINE_MS = 10_000;

/** What may stand in `apns-topic`. */
const BUNDLE = /^[\w.-]+$/;

export interface ApnsProviderDeps extends Pick<
  AppProviderDeps<ToApnsRequest>,
  'deadlineMs' | 'toEndpoint' | 'findClient' | 'release'
> {
  readonly bundle: string;
}

/** One app's way to APNs: its own topic over connections that its team shares. */
export function createApnsProvider(deps: ApnsProviderDeps): PushProvider {
  const { bundle, toEndpoint, findClient } = deps;
  const prepared = new WeakMap<PushMessage, PreparedPush>();

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

  return createAppProvider({
    ...deps,
    maxInFlight: MAX_IN_FLIGHT,
    findClient: BUNDLE.test(bundle) ? findClient : () => UNUSABLE_BUNDLE,
    toRequest,
    closing: toUnprocessed('closing'),
  });
}

const UNUSABLE_BUNDLE: Outcome = { kind: 'pause', reason: 'unusable_bundle', scope: 'app' };
/** What APNs would say, without asking it: its throughput shrinks with every such answer. */
const NO_TOKEN: Outcome = { kind: 'gone', reason: 'BadDeviceToken', fault: 'wrong_place' };
