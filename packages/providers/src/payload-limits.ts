import type { JsonObject, Provider, PushMessage, RawPayload } from '@heliograph/core';
import { findApnsExtrasViolation, toApnsPayload } from './apns/payload.ts';
import {
  findFcmDataViolation,
  findFcmExtrasViolation,
  toFcmContent,
  toFcmMessage,
  type FcmMapping,
} from './fcm/payload.ts';

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
  return measure(() => (provider === 'apns' ? toApnsBytes(message) : toFcmBytes(message, mapping)));
}

function measure(toBytes: () => number): number {
  try {
    return toBytes();
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
  const { extras, raw } = message.body;
  const violation =
    raw === undefined ? findExtrasViolation(extras, provider) : findRawViolation(raw, provider);
  if (violation !== undefined) return violation;

  const bytes = toPayloadBytes(message, provider, mapping);
  if (bytes <= MAX_PAYLOAD_BYTES) return undefined;
  return `The payload for ${NAMES[provider]} ${toSize(bytes)}; at most ${MAX_PAYLOAD_BYTES} bytes are allowed.`;
}

/** Why a customer's proxy would not get the message as it was meant, whatever the device, in a sentence for the caller. */
export function findProxyPayloadViolation(
  message: PushMessage,
  route: ProxyRoute,
): string | undefined {
  const { raw } = message.body;
  const violation =
    (raw && findWrongPlatform(raw, route.provider)) ?? findProxyBodyViolation(message);
  if (violation !== undefined) return violation;
  const bytes = measure(() => Buffer.byteLength(JSON.stringify(toProxyBody(message, route))));
  if (bytes <= MAX_PROXY_BODY_BYTES) return undefined;
  return `The body for the customer's proxy ${toSize(bytes)}; at most ${MAX_PROXY_BODY_BYTES} bytes are allowed.`;
}

/** How an app's pushes get to a provider. */
export type PayloadWay =
  | { readonly route: 'direct'; readonly provider: Provider }
  | (ProxyRoute & { readonly route: 'proxy' });

/** What would go out for a message, and whether it may. */
export interface PayloadPreview {
  readonly provider: Provider;
  readonly route: PayloadWay['route'];
  /** What counts against the limit; null where it is nested too deep to be counted. */
  readonly bytes: number | null;
  readonly limit: number;
  /** Why it would be refused, in a sentence for the caller; null where it would not. */
  readonly violation: string | null;
  /** The JSON, but for the push token; null where it can't be made. */
  readonly payload: object | null;
}

/** The message as it would go out that way, by the code that sends it and that refuses it. */
export function previewPayload(
  message: PushMessage,
  way: PayloadWay,
  now: Date,
  mapping: FcmMapping = {},
): PayloadPreview {
  const { provider, route } = way;
  const toJson = () => toPayload(message, way, now, mapping);
  const isProxy = way.route === 'proxy';
  const violation = isProxy
    ? findProxyPayloadViolation(message, way)
    : findPayloadViolation(message, provider, mapping);
  const bytes = isProxy
    ? measure(() => Buffer.byteLength(JSON.stringify(toJson())))
    : toPayloadBytes(message, provider, mapping);
  return {
    provider,
    route,
    bytes: Number.isFinite(bytes) ? bytes : null,
    limit: isProxy ? MAX_PROXY_BODY_BYTES : MAX_PAYLOAD_BYTES,
    violation: violation ?? null,
    payload: Number.isFinite(bytes) ? toJson() : null,
  };
}

function toPayload(message: PushMessage, way: PayloadWay, now: Date, mapping: FcmMapping): object {
  if (way.route === 'proxy') return toProxyBody(message, way);
  if (way.provider === 'apns') return toApnsPayload(message);
  return { message: toFcmMessage(message, now, mapping) };
}

function toSize(bytes: number): string {
  return Number.isFinite(bytes) ? `has ${bytes} bytes` : 'is nested too deep';
}

function findExtrasViolation(extras: JsonObject | undefined, provider: Provider) {
  return provider === 'apns' ? findApnsExtrasViolation(extras) : findFcmExtrasViolation(extras);
}

function findRawViolation(raw: RawPayload, provider: Provider): string | undefined {
  const violation = findWrongPlatform(raw, provider);
  if (violation !== undefined) return violation;
  return 'data' in raw ? findFcmDataViolation(raw.data) : undefined;
}

function findWrongPlatform(raw: RawPayload, provider: Provider): string | undefined {
  const madeFor = 'aps' in raw ? 'apns' : 'fcm';
  return madeFor === provider ? undefined : `The payload is for ${NAMES[madeFor]}.`;
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
