import { createHash } from 'node:crypto';
import {
  isBackgroundAps,
  type Json,
  type PushMessage,
  type RawApnsPayload,
} from '@heliograph/core';

/** Apple: `apns-collapse-id` has at most 64 bytes. */
const MAX_COLLAPSE_ID_BYTES = 64;
/** What surely arrives in a header as it was given. */
const PRINTABLE_ASCII = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** The headers that depend on the message alone. */
export interface ApnsHeaders {
  readonly 'apns-topic': string;
  readonly 'apns-push-type': 'alert' | 'background';
  readonly 'apns-priority': '10' | '5';
  /** Seconds since the epoch. */
  readonly 'apns-expiration': string;
  readonly 'apns-collapse-id': string;
}

export interface ApnsPush {
  readonly headers: ApnsHeaders;
  /** Serialised as it is, it is the body of the request; what is undefined is left out. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** One message as APNs wants it, the same for all its devices. */
export function toApnsPush(message: PushMessage, bundle: string): ApnsPush {
  return { headers: toHeaders(message, bundle), payload: toApnsPayload(message) };
}

/** The JSON of the push: the extras beside `aps`, or a raw payload as it is. */
export function toApnsPayload(message: PushMessage): Readonly<Record<string, unknown>> {
  const raw = findRaw(message);
  if (raw !== undefined) return { ...raw.beside, aps: raw.aps };
  // Not an assignment per key: a caller's key `__proto__` would be lost in it.
  const extras = Object.entries(message.body.extras ?? {}).filter(
    // An `aps` among them is refused when a message is accepted (`findApnsExtrasViolation`); should one come through, ours wins.
    ([key, value]) => value !== null && key !== 'aps',
  );
  return { ...Object.fromEntries(extras), aps: message.silent ? SILENT_APS : toAps(message) };
}

/** The key among the extras that would stand in the way of ours. */
export function findApnsExtrasViolation(
  extras: Readonly<Record<string, Json>> | undefined,
): string | undefined {
  return extras && Object.hasOwn(extras, 'aps')
    ? 'The extras must not have the key "aps".'
    : undefined;
}

/**
 * Apple wants nothing else in a push of the type `background`, or it is an error, delayed or dropped in silence. So a
 * silent message leaves its badge and thread behind: a push that wakes the app, which can set both, is worth more.
 */
const SILENT_APS = { 'content-available': 1 };

function toAps({ body }: PushMessage): object {
  return {
    alert: toAlert(body),
    badge: body.badge,
    sound: body.sound,
    category: body.category,
    'thread-id': body.collapseKey || undefined,
  };
}

function toAlert(body: PushMessage['body']): object | undefined {
  const alert = {
    title: body.title,
    body: body.body,
    'title-loc-key': body.titleLocKey,
    'title-loc-args': toLocArgs(body.titleLocKey, body.titleLocArgs),
    'loc-key': body.bodyLocKey,
    'loc-args': toLocArgs(body.bodyLocKey, body.bodyLocArgs),
  };
  // With nothing to show, as in a push that only sets the badge.
  return Object.values(alert).every((value) => value === undefined) ? undefined : alert;
}

/** Arguments say nothing without a key to fill. */
function toLocArgs(
  key: string | undefined,
  args: readonly string[] | undefined,
): readonly string[] | undefined {
  return key !== undefined && args?.length ? args : undefined;
}

function toHeaders(message: PushMessage, bundle: string): ApnsHeaders {
  const background = isBackground(message);
  // Apple: a background push with priority 10 is an error.
  const urgent = message.priority === 'HIGH' && !background;
  return {
    'apns-topic': bundle,
    'apns-push-type': background ? 'background' : 'alert',
    'apns-priority': urgent ? '10' : '5',
    'apns-expiration': String(Math.max(0, Math.floor(message.expiresAt.getTime() / 1000))),
    'apns-collapse-id': toCollapseId(message),
  };
}

/** What the type says must fit the payload, or APNs may drop the push: a raw one decides by itself. */
function isBackground(message: PushMessage): boolean {
  const raw = findRaw(message);
  return raw === undefined ? message.silent : isBackgroundAps(raw.aps);
}

function findRaw({ body: { raw } }: PushMessage): RawApnsPayload | undefined {
  return raw !== undefined && 'aps' in raw ? raw : undefined;
}

/** APNs does not de-duplicate: with the message's own id, a repeat replaces the notification on screen. */
function toCollapseId({ id, body: { collapseKey } }: PushMessage): string {
  if (!collapseKey) return id;
  // Printable ASCII has one byte per character.
  const fits = PRINTABLE_ASCII.test(collapseKey) && collapseKey.length <= MAX_COLLAPSE_ID_BYTES;
  return fits ? collapseKey : createHash('sha256').update(collapseKey).digest('hex');
}
