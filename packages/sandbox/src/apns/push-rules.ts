import { Buffer } from 'node:buffer';
import type { ApnsEnvironment, RegisteredApnsKey } from '../credentials/apns-key.ts';
import { isObject, parseJson } from '../json.ts';
import type { Exchange } from '../transport/exchange.ts';
import type { ApnsReason } from './apns-reasons.ts';

/** A token that begins so belongs to one environment; all others are good in both. */
export const ENVIRONMENT_PREFIXES = { production: 'adadadad', development: 'dededede' } as const;

/** Push types and what their topic has after the bundle id. */
const TOPIC_SUFFIXES = new Map([
  ['alert', ''],
  ['background', ''],
  ['voip', '.voip'],
  ['complication', '.complication'],
  ['fileprovider', '.pushkit.fileprovider'],
  // The subject UID of an MDM certificate, not a bundle id.
  ['mdm', ''],
  ['location', '.location-query'],
  ['liveactivity', '.push-type.liveactivity'],
  ['pushtotalk', '.voip-ptt'],
  ['widgets', '.push-type.widgets'],
  ['controls', '.push-type.controls'],
]);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TOPIC = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;
const TOKEN = /^(?:[0-9a-f]{2})+$/i;
const MAX_COLLAPSE_ID_BYTES = 64;
const MAX_PAYLOAD_BYTES = 4096;
const MAX_VOIP_PAYLOAD_BYTES = 5120;

type Headers = Exchange['headers'];

/** The rules for headers that hold for every push, whoever sends it. */
export function checkHeaders({ headers, repeatedHeaders }: Exchange): ApnsReason | undefined {
  if (repeatedHeaders.length > 0) return 'DuplicateHeaders';
  if (!isAbsentOr(headers, 'apns-id', isCanonicalUuid)) return 'BadMessageId';
  if (!isAbsentOr(headers, 'apns-expiration', (text) => /^\d{1,15}$/.test(text))) {
    return 'BadExpirationDate';
  }
  if (!isAbsentOr(headers, 'apns-priority', (text) => /^(?:1|5|10)$/.test(text))) {
    return 'BadPriority';
  }
  if (!isAbsentOr(headers, 'apns-push-type', (text) => TOPIC_SUFFIXES.has(text))) {
    return 'InvalidPushType';
  }
  // The default is 10, which a background push must not have.
  if (headers['apns-push-type'] === 'background' && headers['apns-priority'] !== '5') {
    return 'BadPriority';
  }
  const collapseId = header(headers, 'apns-collapse-id') ?? '';
  return Buffer.byteLength(collapseId) > MAX_COLLAPSE_ID_BYTES ? 'BadCollapseId' : undefined;
}

/** The topic must be a bundle id of the key's team, with the ending that the push type asks for. */
export function checkTopic(headers: Headers, key: RegisteredApnsKey): ApnsReason | undefined {
  const topic = header(headers, 'apns-topic');
  if (!topic) return 'MissingTopic';
  if (!TOPIC.test(topic)) return 'BadTopic';

  const suffix = TOPIC_SUFFIXES.get(header(headers, 'apns-push-type') ?? '') ?? '';
  if (!topic.endsWith(suffix)) return 'BadTopic';
  if (!key.bundles) return undefined;
  const bundle = topic.slice(0, topic.length - suffix.length);
  return key.bundles.includes(bundle) ? undefined : 'TopicDisallowed';
}

export function checkToken(token: string, environment: ApnsEnvironment): ApnsReason | undefined {
  if (token === '') return 'MissingDeviceToken';
  if (!TOKEN.test(token)) return 'BadDeviceToken';
  const other = environment === 'production' ? 'development' : 'production';
  return token.startsWith(ENVIRONMENT_PREFIXES[other]) ? 'BadDeviceToken' : undefined;
}

export function checkPayload({ headers, body, bodyBytes }: Exchange): ApnsReason | undefined {
  const isVoip = headers['apns-push-type'] === 'voip';
  if (bodyBytes > (isVoip ? MAX_VOIP_PAYLOAD_BYTES : MAX_PAYLOAD_BYTES)) return 'PayloadTooLarge';
  return isObject(parseJson(body)) ? undefined : 'PayloadEmpty';
}

export function isCanonicalUuid(text: string): boolean {
  return UUID.test(text);
}

/** One value of a header; node keeps repeated ones together, which `checkHeaders` has refused. */
export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function isAbsentOr(headers: Headers, name: string, holds: (text: string) => boolean): boolean {
  const value = header(headers, name);
  return value === undefined || holds(value);
}
