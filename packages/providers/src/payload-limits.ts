import type { Provider, PushMessage } from '@heliograph/core';
import { findApnsExtrasViolation, toApnsPayload } from './apns/payload.ts';
import { findFcmExtrasViolation, toFcmContent, type FcmMapping } from './fcm/payload.ts';

import { findProxyBodyViolation, toProxyBody, type ProxyRoute } from './proxy/body.ts';

export type { FcmMapping, ProxyRoute };

/** Of the whole JSON on APNs; of keys and values of data and notification on FCM. */
export const MAX_PAYLOAD_BYTES = 4096;

/** Of what is POSTed to a customer's proxy, but for the push token. LivePerson documents none. */
export const MAX_PROXY_BODY_BYTES = 16 * 1024;

const NAMES = { apns: 'APNs', fcm: 'FCM' } as const satisfies Record<Provider, string>;

/** The size that the provider will count, in bytes of UTF-8. Infinite for extras too deep to be serialised. */
export function toPayloadBytes(
  message: PushMessage,
  provider: Provider,
  mapping: FcmMapping = {},
): number {
  try {
    return provider === 'apns' ? toApnsBytes(message) : toFcmBytes(message, mapping);
  } catch (error) {
    // JSON.stringify runs out of stack some thousand levels down: far past the limit by then.
    if (error instanceof RangeError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** Why the provider would refuse the message whatever the device, in a sentence for the caller. */
export function findPayloadViolation(
  message: PushMessage,
  provider: Provider,
  mapping: FcmMapping = {},
): string | undefined {
  const { extras } = message.body;
  const violation =
    provider === 'apns' ? findApnsExtrasViolation(extras) : findFcmExtrasViolation(extras);
  if (violation !== undefined) return violation;

  const bytes = toPayloadBytes(message, provider, mapping);
  if (bytes <= MAX_PAYLOAD_BYTES) return undefined;
  const size = Number.isFinite(bytes) ? `has ${bytes} bytes` : 'is nested too deep';
  return `The payload for ${NAMES[provider]} ${size}; at most ${MAX_PAYLOAD_BYTES} bytes are allowed.`;
}

/** Why a customer's proxy would not get the message as it was meant, whatever the device, in a sentence for the caller. */
export function findProxyPayloadViolation(
  message: PushMessage,
  route: ProxyRoute,
): string | undefined {
  const violation = findProxyBodyViolation(message);
  if (violation !== undefined) return violation;
  const bytes = Buffer.byteLength(JSON.stringify(toProxyBody(message, route)));
  if (bytes <= MAX_PROXY_BODY_BYTES) return undefined;
  return `The body for the customer's proxy has ${bytes} bytes; at most ${MAX_PROXY_BODY_BYTES} bytes are allowed.`;
}

function toApnsBytes(message: PushMessage): number {
  return Buffer.byteLength(JSON.stringify(toApnsPayload(message)));
}

function toFcmBytes(message: PushMessage, mapping: FcmMapping): number {
  const { data, notification } = toFcmContent(message, mapping);
  return countBytes(data) + countBytes(notification ?? {});
}

function countBytes(fields: object): number {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + toValueBytes(value), 0);
}

function toValueBytes(value: unknown): number {
  return Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value));
}
