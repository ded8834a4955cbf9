import { Refusal, type Json, type JsonObject, type Provider } from '@heliograph/core';

import { isStorableJson } from '../../http/formats.ts';
import type { LivePersonPush } from '../../liveperson/live-person-push.ts';

/*
 * The bodies of LivePerson's push proxy, of 2017 and today. For iOS everything stands at the top; for Android the identifiers stand in
 * `data.payload`. What we don't know goes through to the app, since its SDK may.
 */
const MAX_TOKEN_BYTES = 4096;
const MAX_BRAND_LENGTH = 255;

/** What the proxy is told, and the app is not. */
const ENVELOPE: ReadonlySet<string> = new Set(['push-service', 'notificationType', 'device-token']);

const HUAWEI = 'huawei';
type Service = Provider | typeof HUAWEI;

const BY_NUMBER = new Map<string, Service>([
  ['1', 'apns'],
  ['2', 'fcm'],
  ['3', HUAWEI],
]);
const BY_NAME = new Map<string, Service>([
  ['apn', 'apns'],
  ['apns', 'apns'],
  ['gcm', 'fcm'],
  ['fcm', 'fcm'],
  ['huawei', HUAWEI],
  ['hms', HUAWEI],
]);

/** Refuses what is no such body, saying what is wrong with it. */
export function readPush(bytes: Buffer): LivePersonPush {
  const body = parseObject(bytes);
  if (!isStorableJson(body))
    throw refuse(
      'The body must not contain NUL characters, lone surrogates, or more than 32 levels.',
    );
  const provider = readProvider(body);
  return provider === 'apns' ? readApnsPush(body) : readFcmPush(body);
}

function readApnsPush(body: JsonObject): LivePersonPush {
  const aps = readObject(body, 'aps');
  const beside = Object.entries(body).filter(([key]) => key !== 'aps' && !ENVELOPE.has(key));
  return {
    provider: 'apns',
    ...readNames(body, body),
    raw: { aps, beside: Object.fromEntries(beside) },
  };
}

function readFcmPush(body: JsonObject): LivePersonPush {
  const data = readObject(body, 'data');
  const { payload } = data;
  const identifiers = isObject(payload) ? { ...body, ...payload } : body;
  return { provider: 'fcm', ...readNames(body, identifiers), raw: { data } };
}

/** The fields that name a push, wherever the platform has them. */
function readNames(body: JsonObject, identifiers: JsonObject) {
  const deviceToken = body['device-token'];
  if (typeof deviceToken !== 'string' || deviceToken === '')
    throw refuse('device-token is missing.');
  if (Buffer.byteLength(deviceToken) > MAX_TOKEN_BYTES)
    throw refuse(`device-token must be at most ${MAX_TOKEN_BYTES} bytes.`);
  const brandId = findText(identifiers['brandId']);
  if (brandId === undefined || brandId.length > MAX_BRAND_LENGTH)
    throw refuse('brandId is missing, or too long.');
  return {
    deviceToken,
    brandId,
    conversationId: findText(identifiers['conversationId']),
    sequence: findText(identifiers['sequence']),
  };
}

/** By the two fields that say so, which must agree; where both are absent, by the payload that is there. */
function readProvider(body: JsonObject): Provider {
  const byNumber = readService(body, 'push-service', BY_NUMBER);
  const byName = readService(body, 'notificationType', BY_NAME);
  if (byNumber !== undefined && byName !== undefined && byNumber !== byName)
    throw refuse('push-service and notificationType name different services.');
  const service = byNumber ?? byName ?? guessService(body);
  if (service === HUAWEI) throw refuse('Huawei is not supported by this server.');
  return service;
}

function readService(
  body: JsonObject,
  field: string,
  known: ReadonlyMap<string, Service>,
): Service | undefined {
  const name = findText(body[field])?.toLowerCase();
  if (name === undefined) return undefined;
  const service = known.get(name);
  if (service === undefined)
    throw refuse(`${field} must be one of ${[...known.keys()].join(', ')}.`);
  return service;
}

function guessService({ aps, data }: JsonObject): Provider {
  if (isObject(aps) === isObject(data))
    throw refuse('push-service and notificationType are missing, and so is one of aps and data.');
  return isObject(aps) ? 'apns' : 'fcm';
}

function readObject(body: JsonObject, field: string): JsonObject {
  const value = body[field];
  if (!isObject(value)) throw refuse(`${field} must be an object.`);
  return value;
}

/** Identifiers are texts, and numbers to some. One too big to be exact is none: it could be another's. */
function findText(value: Json | undefined): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(bytes: Buffer): JsonObject {
  const body = parseJson(bytes);
  if (!isObject(body)) throw refuse('The body must be a JSON object.');
  return body;
}

function parseJson(bytes: Buffer): Json {
  try {
    const body: Json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return body;
  } catch (error) {
    throw new Refusal('invalid_request', 'The body is not valid JSON.', { cause: error });
  }
}

function refuse(words: string): Refusal {
  return new Refusal('invalid_request', words);
}
