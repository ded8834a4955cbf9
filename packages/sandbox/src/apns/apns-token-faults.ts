import type { Answer } from '../answers/answer.ts';
import type { NamedFault, TokenFault } from '../answers/token-faults.ts';

/** Device tokens are hex, so this is as close to "fail" as one gets. */
const MARKER = /^fa(?<mode>11|01)(?<code>[0-9a-f]{4})/;

const YEAR_MS = 365 * 86_400_000;

/**
 * A token `fa11<code>…` always meets the fault, `fa01<code>…` at its first push only. Three digits of a code are the
 * status, the fourth tells them apart; 000 is what has no status. Unknown codes are ordinary tokens.
 */
export const APNS_TOKEN_FAULTS: readonly TokenFault[] = [
  refusal('4000', 'BadDeviceToken'),
  refusal('4001', 'DeviceTokenNotForTopic'),
  refusal('4002', 'BadCollapseId'),
  refusal('4003', 'BadExpirationDate'),
  refusal('4004', 'BadMessageId'),
  refusal('4005', 'BadPriority'),
  refusal('4006', 'DuplicateHeaders'),
  refusal('4007', 'InvalidPushType'),
  refusal('4008', 'MissingDeviceToken'),
  refusal('4009', 'PayloadEmpty'),
  refusal('400a', 'BadTopic'),
  refusal('400b', 'MissingTopic'),
  refusal('400c', 'TopicDisallowed'),
  refusal('400d', 'IdleTimeout'),
  refusal('400e', 'SomethingNew', { status: 400 }),
  refusal('4030', 'ExpiredProviderToken'),
  refusal('4031', 'InvalidProviderToken'),
  refusal('4032', 'MissingProviderToken'),
  refusal('4033', 'UnrelatedKeyIdInToken'),
  refusal('4034', 'BadEnvironmentKeyIdInToken'),
  refusal('4035', 'BadCertificate'),
  refusal('4036', 'BadCertificateEnvironment'),
  refusal('4037', 'Forbidden'),
  refusal('4040', 'BadPath'),
  refusal('4050', 'MethodNotAllowed'),
  fault('4100', { kind: 'refuse', reason: 'Unregistered' }, '410 Unregistered, dead since now'),
  fault('4101', { kind: 'refuse', reason: 'ExpiredToken' }, '410 ExpiredToken, dead since now'),
  fault(
    '4102',
    { kind: 'refuse', reason: 'Unregistered', timestampAgeMs: YEAR_MS },
    '410 Unregistered, dead for a year: older than the last registration',
  ),
  fault(
    '4103',
    { kind: 'refuse', reason: 'Unregistered', timestampAgeMs: null },
    '410 Unregistered without a timestamp',
  ),
  refusal('4130', 'PayloadTooLarge'),
  refusal('4180', 'SomethingNew', { status: 418 }),
  refusal('4290', 'TooManyRequests'),
  refusal('4291', 'TooManyProviderTokenUpdates'),
  refusal('4292', 'TooManyRequests', { retryAfterSeconds: 2 }),
  refusal('5000', 'InternalServerError'),
  refusal('5030', 'ServiceUnavailable'),
  refusal('5031', 'Shutdown'),
  refusal('5032', 'ServiceUnavailable', { retryAfterSeconds: 2 }),
  refusal('5033', 'ServiceUnavailable', { retryAfterSeconds: 2, retryAfterAsDate: true }),
  refusal('5990', 'SomethingNew', { status: 599 }),
  fault('5020', { kind: 'raw', status: 502 }, '502 with an HTML page'),
  fault('0000', { kind: 'silence' }, 'no answer, ever'),
  fault('0001', { kind: 'accept', delayMs: 2_000 }, '200 after 2 s'),
  fault('0002', { kind: 'accept', delayMs: 15_000 }, '200 after 15 s, past usual deadlines'),
  fault(
    '0003',
    { kind: 'goaway', streams: 'answer' },
    '200, and GOAWAY that refuses nothing and gives no reason',
  ),
  fault(
    '0004',
    { kind: 'goaway', streams: 'refuse', reason: 'Shutdown' },
    'GOAWAY with reason Shutdown; this push and later ones on the connection are refused',
  ),
  fault(
    '0005',
    { kind: 'goaway', streams: 'drop', reason: 'Shutdown' },
    'GOAWAY with reason Shutdown, then the connection closes without an answer',
  ),
  fault('0006', { kind: 'fin' }, 'the connection closes without an answer (FIN)'),
  fault('0007', { kind: 'tcp-reset' }, 'TCP reset'),
  fault('0008', { kind: 'rst-stream', code: 'INTERNAL_ERROR' }, 'RST_STREAM INTERNAL_ERROR'),
  fault('0009', { kind: 'rst-stream', code: 'REFUSED_STREAM' }, 'RST_STREAM REFUSED_STREAM'),
  fault(
    '000a',
    { kind: 'accept', streamLimit: 1 },
    '200, then SETTINGS with 1 concurrent stream until the next accepted push',
  ),
  fault(
    '000b',
    { kind: 'goaway', streams: 'refuse', reason: 'InvalidProviderToken' },
    'GOAWAY with reason InvalidProviderToken',
  ),
];

const BY_CODE = new Map(APNS_TOKEN_FAULTS.map(({ code, answer }) => [code, answer]));

export function findApnsTokenFault(token: string): NamedFault | undefined {
  // Nearly all pushes of a benchmark end here.
  if (!token.startsWith('fa')) return undefined;
  const { mode, code } = MARKER.exec(token)?.groups ?? {};
  const answer = BY_CODE.get(code ?? '');
  return answer && { answer, once: mode === '01' };
}

function refusal(
  code: string,
  reason: string,
  extra: { status?: number; retryAfterSeconds?: number; retryAfterAsDate?: boolean } = {},
): TokenFault {
  const form = extra.retryAfterAsDate ? 'an HTTP date' : 'seconds';
  const wait = extra.retryAfterSeconds === undefined ? '' : `, Retry-After in ${form}`;
  const meaning = `${code.slice(0, 3)} ${reason}${wait}`;
  return fault(code, { kind: 'refuse', reason, ...extra }, meaning);
}

function fault(code: string, answer: Answer, meaning: string): TokenFault {
  return { code, answer, meaning };
}
