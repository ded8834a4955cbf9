import { Refusal, type Provider, type PushMessage } from '@heliograph/core';
import { findPayloadViolation, type FcmMapping } from '@heliograph/providers/payload';

/** Refuses a message that one of the providers would not take, whatever the device. `index` is its place in a batch. */
export function refuseOversized(
  message: PushMessage,
  providers: readonly Provider[],
  fcm: FcmMapping,
  index?: number,
): void {
  for (const provider of providers) {
    const violation = findPayloadViolation(message, provider, fcm);
    if (violation === undefined) continue;
    const which = index === undefined ? '' : `Message ${index} of the batch: `;
    throw new Refusal('invalid_request', `${which}${violation}`);
  }
}
