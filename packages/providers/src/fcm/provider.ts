import type { PushMessage } from '@heliograph/core';

import { createAppProvider, MAX_IN_FLIGHT, type AppProviderDeps } from '../app-provider.ts';
import type { Push, PushProvider } from '../push-provider.ts';
import { toUnprocessed } from './answers.ts';
import type { ToFcmBody } from './client.ts';
import { toFcmMessage, type FcmMapping } from './payload.ts';

/** Google: at least 10 s. */
export const FCM_DEADLINE_MS = 15_000;
/** A mapped message is made anew after so long: its time to live counts down. */
const MAPPED_FOR_MS = 1_000;

export interface FcmProviderDeps extends Pick<
  AppProviderDeps<ToFcmBody>,
  'deadlineMs' | 'findClient' | 'release'
> {
  readonly endpoint: string;
  readonly mapping: FcmMapping;
  readonly now: () => Date;
}

interface Mapped {
  readonly json: string;
  readonly untilMs: number;
}

/** One app's way to FCM. */
export function createFcmProvider(deps: FcmProviderDeps): PushProvider {
  const { endpoint, mapping, now } = deps;
  const mapped = new WeakMap<PushMessage, Mapped>();
  const head = mapping.validateOnly === true ? '"validate_only":true,' : '';

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

  return createAppProvider({
    ...deps,
    maxInFlight: MAX_IN_FLIGHT,
    toEndpoint: () => endpoint,
    toRequest: toBody,
    closing: toUnprocessed('closing'),
  });
}
