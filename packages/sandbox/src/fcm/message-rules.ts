import { Buffer } from 'node:buffer';
import { isObject } from '../json.ts';
import { error, invalidArgument, type FcmError } from './fcm-refusals.ts';

const TARGETS = ['token', 'topic', 'condition'] as const;

/** Fields of a message, as the discovery document spells them. */
const FIELDS = new Set([
  'name',
  'data',
  'notification',
  'android',
  'webpush',
  'apns',
  'fcmOptions',
  ...TARGETS,
]);

/** Four weeks. */
const MAX_TTL_SECONDS = 2_419_200;
const TTL = /^(?<seconds>\d+(?:\.\d{1,9})?)s$/;
const PRIORITIES: readonly unknown[] = ['NORMAL', 'HIGH', 'normal', 'high'];
const MAX_BYTES = 4096;
const MAX_TOPIC_BYTES = 2048;

interface Violation {
  readonly field: string;
  readonly description: string;
}

type Fields = Record<string, unknown>;

/** What is wrong with a message; undefined if FCM would take it. Both spellings of names are fine. */
export function checkMessage(input: unknown): FcmError | undefined {
  if (!isObject(input)) return violation('message', 'The message is missing or not an object');
  const message = camelCaseKeys(input);
  const violations = [
    ...checkNames(message),
    ...checkTarget(message),
    ...checkData(message['data'], 'message.data'),
    ...checkNotification(message['notification']),
    ...checkAndroid(message['android']),
    ...checkApns(message['apns']),
  ];
  const [first] = violations;
  if (first) return invalidArgument(first.description, violations);

  // Too big comes without details.
  const limit = message['token'] === undefined ? MAX_TOPIC_BYTES : MAX_BYTES;
  if (sizeOf(message) <= limit) return undefined;
  return error(400, 'INVALID_ARGUMENT', 'Android message is too big');
}

function checkNames(message: Fields): Violation[] {
  const unknown = Object.keys(message).filter((name) => !FIELDS.has(name));
  return unknown.map((name) => ({
    field: 'message',
    description: `Invalid JSON payload received. Unknown name "${name}" at 'message': Cannot find field.`,
  }));
}

function checkTarget(message: Fields): Violation[] {
  const given = TARGETS.filter((name) => message[name] !== undefined);
  const [target] = given;
  if (!target || given.length > 1) {
    const description = 'Exactly one of token, topic or condition is required';
    return [{ field: 'message', description }];
  }
  const value = message[target];
  if (typeof value !== 'string' || value === '') {
    const description =
      target === 'token'
        ? 'The registration token is not a valid FCM registration token'
        : `Invalid ${target}`;
    return [{ field: `message.${target}`, description }];
  }
  if (target !== 'topic' || /^[\w\-.~%]+$/.test(value)) return [];
  return [{ field: 'message.topic', description: `Invalid topic name: ${value}` }];
}

/** FCM takes strings only, and keeps some names for itself. */
function checkData(data: unknown, field: string): Violation[] {
  if (data === undefined) return [];
  if (!isObject(data)) return [{ field, description: `Invalid value at '${field}'` }];
  return Object.entries(data).flatMap(([key, value], index) => {
    if (typeof value !== 'string') {
      const at = `${field}[${index}].value`;
      const description = `Invalid value at '${at}' (TYPE_STRING), ${JSON.stringify(value)}`;
      return [{ field: at, description }];
    }
    if (!isReserved(key)) return [];
    return [{ field: `${field}[${key}]`, description: `Invalid data payload key: ${key}` }];
  });
}

function isReserved(key: string): boolean {
  return (
    key === 'from' ||
    key === 'message_type' ||
    key.startsWith('google.') ||
    key.startsWith('gcm.notification.')
  );
}

function checkNotification(notification: unknown): Violation[] {
  if (notification === undefined) return [];
  const field = 'message.notification';
  if (!isObject(notification)) return [{ field, description: `Invalid value at '${field}'` }];
  return ['title', 'body', 'image'].flatMap((name) => {
    const value = notification[name];
    if (value === undefined || typeof value === 'string') return [];
    const at = `${field}.${name}`;
    return [{ field: at, description: `Invalid value at '${at}' (TYPE_STRING)` }];
  });
}

function checkAndroid(input: unknown): Violation[] {
  if (input === undefined) return [];
  if (!isObject(input)) {
    return [{ field: 'message.android', description: "Invalid value at 'message.android'" }];
  }
  const android = camelCaseKeys(input);
  const { ttl, priority } = android;
  const violations = checkData(android['data'], 'message.android.data');
  if (ttl !== undefined && !isTtl(ttl)) {
    const description = `Invalid value at 'message.android.ttl' (type.googleapis.com/google.protobuf.Duration), ${JSON.stringify(ttl)}`;
    violations.push({ field: 'message.android.ttl', description });
  }
  if (priority !== undefined && !PRIORITIES.includes(priority)) {
    const description = `Invalid value at 'message.android.priority', ${JSON.stringify(priority)}`;
    violations.push({ field: 'message.android.priority', description });
  }
  return violations;
}

function checkApns(apns: unknown): Violation[] {
  const headers = isObject(apns) ? apns['headers'] : undefined;
  return isObject(headers) ? checkData(headers, 'message.apns.headers') : [];
}

function isTtl(ttl: unknown): boolean {
  const seconds = typeof ttl === 'string' ? TTL.exec(ttl)?.groups?.['seconds'] : undefined;
  return seconds !== undefined && Number(seconds) <= MAX_TTL_SECONDS;
}

/** Keys and values of data and notification. */
function sizeOf(message: Fields): number {
  const android = isObject(message['android']) ? message['android'] : {};
  return [message['data'], message['notification'], android['data'], android['notification']]
    .filter(isObject)
    .flatMap((part) => Object.entries(part))
    .reduce((bytes, [key, value]) => bytes + Buffer.byteLength(key) + sizeOfValue(value), 0);
}

function sizeOfValue(value: unknown): number {
  return Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value));
}

function camelCaseKeys(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}

function violation(field: string, description: string): FcmError {
  return invalidArgument(description, [{ field, description }]);
}
