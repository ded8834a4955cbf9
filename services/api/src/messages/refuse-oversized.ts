import { Refusal, type PushMessage } from '@heliograph/core';
import type { SendingRoute } from '@heliograph/db';
import {
  findPayloadViolation,
  findProxyPayloadViolation,
  type FcmMapping,
} from '@heliograph/providers/payload';

/** Refuses a message that one of the app's ways would not take, whatever the device. `index` is its place in a batch. */
export function refuseOversized(
  message: PushMessage,
  routes: readonly SendingRoute[],
  fcm: FcmMapping,
  index?: number,
): void {
  for (const route of routes) {
    const violation =
      route.route === 'proxy'
        ? findProxyPayloadViolation(message, route)
        : findPayloadViolation(message, route.provider, fcm);
    if (violation === undefined) continue;
    const which = index === undefined ? '' : `Message ${index} of the batch: `;
    throw new Refusal('invalid_request', `${which}${violation}`);
  }
}
