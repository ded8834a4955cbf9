import type { Json, MessageBody, PushMessage, RawPayload } from '@heliograph/core';

import type { ProxyCredential } from '../credential.ts';

/** What the body of a push depends on beside its message. */
export type ProxyRoute = Pick<
  ProxyCredential,
  'provider' | 'schema' | 'brandId' | 'backendService'
>;

/** What LivePerson's body says of a conversation; a message gives it in its extras. */
const IDENTIFIERS = [
  'backendService',
  'conversationId',
  'dialogId',
  'originatorId',
  'brandId',
] as const;
const SEQUENCE = 'sequence';

const TO_IOS = { 'push-service': 1, notificationType: 'apn' };
const TO_ANDROID = { 'push-service': 2, notificationType: 'gcm' };

/**
 * A message as LivePerson documents it, the same for all its devices: everything but the `device-token`. What is undefined is left out
 * of the JSON.
 */
export function toProxyBody(message: PushMessage, route: ProxyRoute): object {
  const { raw } = message.body;
  if (raw !== undefined) return toRawBody(raw);
  return route.provider === 'apns' ? toIosBody(message, route) : toAndroidBody(message, route);
}

/** Why the message can't be put in LivePerson's words, in a sentence for the caller. */
export function findProxyBodyViolation({ body, silent }: PushMessage): string | undefined {
  const { extras = {} } = body;
  const name = IDENTIFIERS.find((key) => isGiven(extras[key]) && typeof extras[key] !== 'string');
  if (name !== undefined) return `The extra "${name}" must be a text.`;
  if (isGiven(extras[SEQUENCE]) && typeof extras[SEQUENCE] !== 'number')
    return `The extra "${SEQUENCE}" must be a number.`;
  const isKeysOnly = toText(body) === undefined && (body.titleLocKey ?? body.bodyLocKey);
  if (!silent && isKeysOnly)
    return "A customer's proxy takes no localisation keys: the message needs a title or a body.";
  return undefined;
}

/** What LivePerson handed to us is handed on as it came. */
function toRawBody(raw: RawPayload): object {
  if ('data' in raw) return { ...TO_ANDROID, data: raw.data };
  return { ...raw.beside, ...TO_IOS, aps: raw.aps };
}

/** Its text and its sound stand in a raw `aps`, everything else beside it. */
function toIosBody(message: PushMessage, route: ProxyRoute): object {
  return {
    ...TO_IOS,
    ...toIdentifiers(message, route),
    aps: message.silent
      ? SILENT_APS
      : { alert: toText(message.body), sound: message.body.sound || undefined },
  };
}

/** Everything but the way there stands in `data`. */
function toAndroidBody(message: PushMessage, route: ProxyRoute): object {
  return {
    ...TO_ANDROID,
    data: {
      message: message.silent ? undefined : toText(message.body),
      payload: toIdentifiers(message, route),
    },
  };
}

/** As APNs has it for a push that only wakes the app. */
const SILENT_APS = { 'content-available': 1 };

function toIdentifiers({ body }: PushMessage, { schema, brandId, backendService }: ProxyRoute) {
  const extras = body.extras ?? {};
  const isCurrent = schema === 'current';
  return {
    backendService: findText(extras, 'backendService') ?? backendService,
    conversationId: findText(extras, 'conversationId'),
    dialogId: isCurrent ? findText(extras, 'dialogId') : undefined,
    originatorId: findText(extras, 'originatorId'),
    brandId: findText(extras, 'brandId') ?? brandId,
    badge: isCurrent ? body.badge : undefined,
    sequence: isCurrent ? findNumber(extras, SEQUENCE) : undefined,
  };
}

/** There is one field for it: a title becomes its first line. */
function toText({ title, body }: MessageBody): string | undefined {
  const lines = [title, body].filter((line) => line !== undefined && line !== '');
  return lines.length > 0 ? lines.join('\n') : undefined;
}

function isGiven(value: Json | undefined): boolean {
  return value !== undefined && value !== null;
}

function findText(extras: Readonly<Record<string, Json>>, key: string): string | undefined {
  const value = extras[key];
  return typeof value === 'string' ? value : undefined;
}

function findNumber(extras: Readonly<Record<string, Json>>, key: string): number | undefined {
  const value = extras[key];
  return typeof value === 'number' ? value : undefined;
}
