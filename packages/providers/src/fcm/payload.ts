import type { Json, PushMessage } from '@heliograph/core';

/** FCM: four weeks. */
const MAX_TTL_SECONDS = 2_419_200;

export interface FcmMapping {
  /** Data messages only: the notification goes as JSON text in `data._notification`, and the app shows it. */
  readonly dataNotificationOnly?: boolean;
  /** FCM judges the message and sends it to nobody. */
  readonly validateOnly?: boolean;
}

/** The parts that FCM counts against its limit. */
export interface FcmContent {
  readonly data: Readonly<Record<string, string>>;
  readonly notification: FcmNotification | undefined;
}

/** What is undefined is left out of the JSON. */
export interface FcmNotification {
  readonly title: string | undefined;
  readonly body: string | undefined;
  readonly icon: string | undefined;
  readonly sound: string | undefined;
  readonly tag: string;
  readonly title_loc_key: string | undefined;
  readonly title_loc_args: readonly string[] | undefined;
  readonly body_loc_key: string | undefined;
  readonly body_loc_args: readonly string[] | undefined;
  readonly notification_priority: 'PRIORITY_HIGH' | 'PRIORITY_DEFAULT';
}

/** The `message` of the request, without its token. */
export interface FcmMessage {
  readonly data: Readonly<Record<string, string>> | undefined;
  readonly android: {
    readonly priority: 'HIGH' | 'NORMAL';
    readonly ttl: string;
    readonly collapse_key: string | undefined;
    readonly notification: FcmNotification | undefined;
  };
}

/** One message as FCM wants it, the same for all its devices. `now` is what its time to live counts from. */
export function toFcmMessage(
  message: PushMessage,
  now: Date,
  mapping: FcmMapping = {},
): FcmMessage {
  const { data, notification } = toFcmContent(message, mapping);
  return {
    data: Object.keys(data).length > 0 ? data : undefined,
    android: {
      priority: message.priority,
      ttl: `${toTtlSeconds(message.expiresAt, now)}s`,
      // Never by default: collapsible messages are throttled, 20 in a burst and then one in 3 minutes per device.
      collapse_key: message.body.collapseKey || undefined,
      notification,
    },
  };
}

export function toFcmContent(message: PushMessage, mapping: FcmMapping = {}): FcmContent {
  const { raw } = message.body;
  // Nothing is added: the app shows it itself, and knows its own marks of a repeat.
  if (raw !== undefined && 'data' in raw)
    return { data: toData(raw.data), notification: undefined };
  const dataNotificationOnly = mapping.dataNotificationOnly === true;
  const notification = toNotification(message);
  const dataOnly = message.silent || dataNotificationOnly;
  return {
    data: {
      // Nothing replaces a data message on the device: the app needs an id to see a repeat. A caller's own key wins.
      ...(dataOnly && { message_id: message.id }),
      ...toData(message.body.extras),
      ...(dataNotificationOnly && { _notification: JSON.stringify(notification) }),
    },
    notification: dataOnly ? undefined : notification,
  };
}

/** The key among the extras that FCM keeps for itself; it would refuse the whole message. */
export function findFcmExtrasViolation(
  extras: Readonly<Record<string, Json>> | undefined,
): string | undefined {
  return findReserved('extras', extras ?? {});
}

/** Likewise, in the data of a raw payload. */
export function findFcmDataViolation(data: Readonly<Record<string, Json>>): string | undefined {
  return findReserved('data', data);
}

function findReserved(where: string, fields: Readonly<Record<string, Json>>): string | undefined {
  const key = Object.keys(fields).find(isReserved);
  return key === undefined
    ? undefined
    : `The ${where} must not have the key "${key}": FCM reserves it.`;
}

function isReserved(key: string): boolean {
  return (
    key === 'from' ||
    key === 'message_type' ||
    key.startsWith('google.') ||
    // Only `gcm.notification.` is documented as refused, but all of `gcm.` is Google's.
    key.startsWith('gcm.')
  );
}

/** Every value a string, or FCM refuses the message; what is not one is JSON. */
function toData(extras: Readonly<Record<string, Json>> = {}): Record<string, string> {
  const entries = Object.entries(extras).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}

function toNotification({ id, body, priority }: PushMessage): FcmNotification {
  return {
    title: body.title,
    body: body.body,
    icon: body.icon,
    sound: body.sound,
    // A second notification of the tag replaces the first, so that a repeat of the message shows once.
    tag: body.category || body.collapseKey || id,
    title_loc_key: body.titleLocKey,
    title_loc_args: toLocArgs(body.titleLocKey, body.titleLocArgs),
    body_loc_key: body.bodyLocKey,
    body_loc_args: toLocArgs(body.bodyLocKey, body.bodyLocArgs),
    notification_priority: priority === 'HIGH' ? 'PRIORITY_HIGH' : 'PRIORITY_DEFAULT',
  };
}

/** FCM refuses arguments without a key. */
function toLocArgs(
  key: string | undefined,
  args: readonly string[] | undefined,
): readonly string[] | undefined {
  return key !== undefined && args?.length ? args : undefined;
}

function toTtlSeconds(expiresAt: Date, now: Date): number {
  const seconds = Math.floor((expiresAt.getTime() - now.getTime()) / 1000);
  return Math.min(MAX_TTL_SECONDS, Math.max(0, seconds));
}
