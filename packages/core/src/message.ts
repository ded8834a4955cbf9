import type { Json, JsonObject } from './json.ts';

export const PRIORITIES = ['NORMAL', 'HIGH'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What a caller wants shown or handed to the app. Every field is optional; an empty body is valid. */
export interface MessageBody {
  readonly title?: string;
  readonly titleLocKey?: string;
  readonly titleLocArgs?: readonly string[];
  readonly body?: string;
  readonly bodyLocKey?: string;
  readonly bodyLocArgs?: readonly string[];
  readonly icon?: string;
  readonly sound?: string;
  readonly category?: string;
  readonly collapseKey?: string;
  readonly badge?: number;
  readonly extras?: Readonly<Record<string, Json>>;
  /** Goes out instead of what the other fields would make; of those only `collapseKey` counts then. */
  readonly raw?: RawPayload;
}

/** A payload that somebody else made for one platform. It is handed on as it is, and devices of the other one are not sent to. */
export type RawPayload = RawApnsPayload | RawFcmPayload;

export interface RawApnsPayload {
  readonly aps: JsonObject;
  /** Custom keys that stand next to `aps`. */
  readonly beside: JsonObject;
}

export interface RawFcmPayload {
  /** Of a data message; what is no string goes as JSON text. */
  readonly data: JsonObject;
}

const SHOWN = ['alert', 'badge', 'sound'] as const;

/** Whether APNs is to be told that this wakes the app and shows nothing: `content-available` alone. */
export function isBackgroundAps(aps: JsonObject): boolean {
  return Object.hasOwn(aps, 'content-available') && !SHOWN.some((key) => Object.hasOwn(aps, key));
}

/** One message as the providers' mappings read it; the same object for every delivery of the message. */
export interface PushMessage {
  /** UUID. The collapse id on APNs and the tag on Android where the caller gave neither. */
  readonly id: string;
  readonly body: MessageBody;
  /** No sound, no banner: the app is woken and handles the data itself. */
  readonly silent: boolean;
  readonly priority: Priority;
  /** Nothing is sent at or after this instant, and the providers are told to keep it no longer. */
  readonly expiresAt: Date;
}

/** How long a message without `validUntil` is worth delivering: a day, and an hour for a silent one. */
const DEFAULT_EXPIRY_MS = 24 * 3_600_000;
const SILENT_EXPIRY_MS = 3_600_000;

/** The instant from which the message is no longer sent: the caller's, or the default for its kind. */
export function toExpiresAt(validUntil: Date | undefined, silent: boolean, now: Date): Date {
  return validUntil ?? new Date(now.getTime() + (silent ? SILENT_EXPIRY_MS : DEFAULT_EXPIRY_MS));
}
