import { toRequeue } from '../requeue.ts';
import { FCM_ANSWERS, toFcmOutcome } from './answers.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
const QUOTA_FAILURE = 'type.googleapis.com/google.rpc.QuotaFailure';
const HTML = '<html><body>502 Bad Gateway</body></html>';

interface Body {
  readonly status?: string;
  readonly errorCode?: string;
  readonly message?: string;
  readonly details?: readonly object[];
}

function toBody({ status, errorCode, message = 'Sorry.', details = [] }: Body): string {
  const coded = errorCode === undefined ? [] : [{ '@type': FCM_ERROR, errorCode }];
  return JSON.stringify({ error: { code: 0, message, status, details: [...coded, ...details] } });
}

const pause = (reason: string, scope: string) => ({ kind: 'pause', reason, scope });
const fail = (reason: string) => ({ kind: 'fail', reason });
const ourBug = (reason: string) => ({ kind: 'fail', reason, alarm: true });
const trouble = (reason: string) => ({
  kind: 'retry',
  reason,
  backoff: 'fcm_trouble',
  bound: 'expiry',
});
const quota = (reason: string) => ({
  kind: 'retry',
  reason,
  backoff: 'fcm_quota',
  bound: 'expiry',
  throttles: 'project',
});
/** Of one device or topic: the project's other messages go on as they do. */
const scopedQuota = (whose: string) => {
  const { throttles: _, ...scoped } = quota(`QUOTA_EXCEEDED (${whose})`);
  return scoped;
};
const newToken = (reason: string) =>
  toRequeue(reason, 'new_token', 1, { kind: 'pause', reason, scope: 'credential' });

describe('an answer of FCM with an errorCode', () => {
  test.each([
    [404, 'NOT_FOUND', 'UNREGISTERED', { kind: 'gone', reason: 'UNREGISTERED', fault: 'dead' }],
    [400, 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', fail('INVALID_ARGUMENT')],
    [
      403,
      'PERMISSION_DENIED',
      'SENDER_ID_MISMATCH',
      { kind: 'gone', reason: 'SENDER_ID_MISMATCH', fault: 'wrong_place' },
    ],
    [
      401,
      'UNAUTHENTICATED',
      'THIRD_PARTY_AUTH_ERROR',
      pause('THIRD_PARTY_AUTH_ERROR', 'third_party'),
    ],
    [401, 'UNAUTHENTICATED', 'APNS_AUTH_ERROR', pause('APNS_AUTH_ERROR', 'third_party')],
    [429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED', quota('QUOTA_EXCEEDED')],
    [503, 'UNAVAILABLE', 'UNAVAILABLE', trouble('UNAVAILABLE')],
    [500, 'INTERNAL', 'INTERNAL', trouble('INTERNAL')],
    [400, 'INVALID_ARGUMENT', 'UNSPECIFIED_ERROR', ourBug('UNSPECIFIED_ERROR')],
    [404, 'NOT_FOUND', 'SOMETHING_NEW', ourBug('SOMETHING_NEW')],
    [503, 'UNAVAILABLE', 'UNSPECIFIED_ERROR', trouble('UNSPECIFIED_ERROR')],
  ])('%i %s %s', (http, status, errorCode, expected) => {
    expect(toFcmOutcome({ status: http, body: toBody({ status, errorCode }) }, NOW)).toEqual(
      expected,
    );
  });
});

describe('an answer of FCM without an errorCode', () => {
  test.each([
    [401, 'UNAUTHENTICATED', newToken('UNAUTHENTICATED')],
    [403, 'PERMISSION_DENIED', pause('PERMISSION_DENIED', 'credential')],
    [404, 'NOT_FOUND', pause('NOT_FOUND', 'app')],
    [400, 'INVALID_ARGUMENT', fail('INVALID_ARGUMENT')],
    [429, 'RESOURCE_EXHAUSTED', quota('RESOURCE_EXHAUSTED')],
    [503, 'UNAVAILABLE', trouble('UNAVAILABLE')],
    [500, 'INTERNAL', trouble('INTERNAL')],
  ])('%i %s', (http, status, expected) => {
    expect(toFcmOutcome({ status: http, body: toBody({ status }) }, NOW)).toEqual(expected);
  });
});

describe('an answer of FCM that is not its JSON', () => {
  test.each([
    [400, fail('status 400')],
    [401, newToken('status 401')],
    [403, pause('status 403', 'credential')],
    [404, pause('status 404', 'app')],
    [429, quota('status 429')],
    [500, trouble('status 500')],
    [502, trouble('status 502')],
    [503, trouble('status 503')],
    [504, trouble('status 504')],
    [599, trouble('status 599')],
    [302, ourBug('status 302')],
    [418, ourBug('status 418')],
  ])('%i', (status, expected) => {
    expect(toFcmOutcome({ status, body: HTML }, NOW)).toEqual(expected);
    expect(toFcmOutcome({ status, body: '' }, NOW)).toEqual(expected);
    expect(toFcmOutcome({ status, body: '{"error":[null]}' }, NOW)).toEqual(expected);
  });
});

test('every code stands in the table once', () => {
  const codes = FCM_ANSWERS.map(({ by, code }) => `${by} ${code}`);

  expect(new Set(codes).size).toBe(codes.length);
});

describe('a success of FCM', () => {
  test('names the message', () => {
    const name = 'projects/p/messages/0:1500';

    expect(toFcmOutcome({ status: 200, body: JSON.stringify({ name }) }, NOW)).toEqual({
      kind: 'sent',
      providerMessageId: name,
    });
  });

  test.each(['', '{}', '{"name":"elsewhere"}', '{"name":3}', HTML])(
    'is none with the body %j',
    (body) => {
      expect(toFcmOutcome({ status: 200, body }, NOW)).toEqual(ourBug('unexpected_success'));
    },
  );
});

const violation = (field: string) => ({
  '@type': BAD_REQUEST,
  fieldViolations: [{ field, description: 'Invalid value' }],
});

describe('INVALID_ARGUMENT', () => {
  const gone = { kind: 'gone', reason: 'INVALID_ARGUMENT', fault: 'wrong_place' };

  test.each([
    ['message.token', gone],
    ['message.data[0].value', fail('INVALID_ARGUMENT')],
    ['message.android.ttl', fail('INVALID_ARGUMENT')],
  ])('with a violation of %s', (field, expected) => {
    const body = toBody({
      status: 'INVALID_ARGUMENT',
      errorCode: 'INVALID_ARGUMENT',
      details: [violation(field)],
    });

    expect(toFcmOutcome({ status: 400, body }, NOW)).toEqual(expected);
  });

  test('says in words that the token is none', () => {
    const message = 'The registration token is not a valid FCM registration token';
    const body = toBody({ status: 'INVALID_ARGUMENT', message });

    expect(toFcmOutcome({ status: 400, body }, NOW)).toEqual(gone);
  });
});

describe('a used-up quota', () => {
  test.each([
    ['project:sandbox', 'Message rate per minute exceeded', quota('QUOTA_EXCEEDED')],
    ['device:abc', 'Device message rate exceeded', scopedQuota('device')],
    ['topic:news', 'Topic message rate exceeded', scopedQuota('topic')],
  ])('of %s', (subject, description, expected) => {
    const details = [{ '@type': QUOTA_FAILURE, violations: [{ subject, description }] }];
    const body = toBody({ status: 'RESOURCE_EXHAUSTED', errorCode: 'QUOTA_EXCEEDED', details });

    expect(toFcmOutcome({ status: 429, body }, NOW)).toEqual(expected);
  });
});

describe('Retry-After', () => {
  test.each([
    ['120', 120_000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:01:30 GMT', 90_000],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
  ])('%s asks for %i ms', (retryAfter, retryAfterMs) => {
    const body = toBody({ status: 'UNAVAILABLE', errorCode: 'UNAVAILABLE' });

    expect(toFcmOutcome({ status: 503, body, retryAfter }, NOW)).toEqual({
      ...trouble('UNAVAILABLE'),
      retryAfterMs,
    });
  });

  test.each(['', 'soon', '-5', '1.5', '99999999999'])('%j asks for nothing', (retryAfter) => {
    expect(toFcmOutcome({ status: 503, body: HTML, retryAfter }, NOW)).toEqual(
      trouble('status 503'),
    );
  });
});
