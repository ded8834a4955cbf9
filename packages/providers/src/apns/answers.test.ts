import type { Outcome } from '@heliograph/core';
import { toRequeue } from '../requeue.ts';
import { APNS_ANSWERS, toApnsOutcome, toUnprocessed } from './answers.ts';

const pause = (reason: string, scope: 'app' | 'credential') =>
  ({ kind: 'pause', reason, scope }) as const;
const wrongPlace = (reason: string): Outcome => ({ kind: 'gone', reason, fault: 'wrong_place' });
const ourBug = (reason: string): Outcome => ({ kind: 'fail', reason, alarm: true });
const trouble = (reason: string) =>
  ({ kind: 'retry', reason, backoff: 'apns_trouble', bound: 'expiry' }) as const;
const waitForConnection = (reason: string) =>
  ({ kind: 'retry', reason, backoff: 'connection', bound: 'expiry' }) as const;

const ROWS: readonly (readonly [status: number, reason: string | undefined, outcome: object])[] = [
  [200, undefined, { kind: 'sent' }],
  [400, 'BadDeviceToken', wrongPlace('BadDeviceToken')],
  [400, 'DeviceTokenNotForTopic', wrongPlace('DeviceTokenNotForTopic')],
  [400, 'BadCollapseId', ourBug('BadCollapseId')],
  [400, 'BadExpirationDate', ourBug('BadExpirationDate')],
  [400, 'BadMessageId', ourBug('BadMessageId')],
  [400, 'BadPriority', ourBug('BadPriority')],
  [400, 'DuplicateHeaders', ourBug('DuplicateHeaders')],
  [400, 'InvalidPushType', ourBug('InvalidPushType')],
  [400, 'MissingDeviceToken', ourBug('MissingDeviceToken')],
  [400, 'PayloadEmpty', ourBug('PayloadEmpty')],
  [400, 'BadTopic', pause('BadTopic', 'app')],
  [400, 'MissingTopic', pause('MissingTopic', 'app')],
  [
    400,
    'TopicDisallowed',
    toRequeue('TopicDisallowed', 'new_connection', 1, pause('TopicDisallowed', 'app')),
  ],
  [
    400,
    'IdleTimeout',
    toRequeue('IdleTimeout', 'new_connection', 5, waitForConnection('IdleTimeout')),
  ],
  [
    403,
    'ExpiredProviderToken',
    toRequeue('ExpiredProviderToken', 'new_token', 1, pause('ExpiredProviderToken', 'credential')),
  ],
  [403, 'InvalidProviderToken', pause('InvalidProviderToken', 'credential')],
  [403, 'MissingProviderToken', pause('MissingProviderToken', 'credential')],
  [
    403,
    'UnrelatedKeyIdInToken',
    toRequeue(
      'UnrelatedKeyIdInToken',
      'new_connection',
      5,
      waitForConnection('UnrelatedKeyIdInToken'),
    ),
  ],
  [403, 'BadEnvironmentKeyIdInToken', pause('BadEnvironmentKeyIdInToken', 'credential')],
  [403, 'BadCertificate', pause('BadCertificate', 'credential')],
  [403, 'BadCertificateEnvironment', pause('BadCertificateEnvironment', 'credential')],
  [403, 'Forbidden', { kind: 'fail', reason: 'Forbidden', pauseAfter: 3 }],
  [404, 'BadPath', ourBug('BadPath')],
  [405, 'MethodNotAllowed', ourBug('MethodNotAllowed')],
  [410, 'Unregistered', { kind: 'gone', reason: 'Unregistered', fault: 'dead' }],
  [410, 'ExpiredToken', { kind: 'gone', reason: 'ExpiredToken', fault: 'dead' }],
  [413, 'PayloadTooLarge', { kind: 'fail', reason: 'PayloadTooLarge' }],
  [
    429,
    'TooManyRequests',
    {
      kind: 'retry',
      reason: 'TooManyRequests',
      backoff: 'apns_device_throttled',
      bound: 'expiry',
    },
  ],
  [
    429,
    'TooManyProviderTokenUpdates',
    toRequeue('TooManyProviderTokenUpdates', 'other_connection', 1, {
      kind: 'retry',
      reason: 'TooManyProviderTokenUpdates',
      backoff: 'apns_token_updates',
      bound: 'expiry',
    }),
  ],
  [500, 'InternalServerError', trouble('InternalServerError')],
  [503, 'ServiceUnavailable', trouble('ServiceUnavailable')],
  [503, 'Shutdown', toRequeue('Shutdown', 'other_connection', 1, trouble('Shutdown'))],
];

describe('an answer of APNs', () => {
  test.each(ROWS)('%i %s', (status, reason, expected) => {
    const outcome = toApnsOutcome({ status, ...(reason !== undefined && { reason }) });

    expect(outcome).toEqual(expected);
  });

  test('has a row here for every row of the table', () => {
    const tested = ROWS.map(([status, reason]) => `${status} ${reason}`);

    expect(APNS_ANSWERS.map(({ status, reason }) => `${status} ${reason}`)).toEqual(tested);
  });

  test.each([
    [400, 'SomethingNew', ourBug('SomethingNew')],
    [418, undefined, ourBug('status 418')],
    [410, undefined, ourBug('status 410')],
    [301, undefined, ourBug('status 301')],
    [500, undefined, trouble('status 500')],
    [599, 'SomethingNew', trouble('SomethingNew')],
  ])('%i %s, which is not documented, goes by its class', (status, reason, expected) => {
    expect(toApnsOutcome({ status, ...(reason !== undefined && { reason }) })).toEqual(expected);
  });

  test('does not deactivate a device for a reason under another status', () => {
    expect(toApnsOutcome({ status: 503, reason: 'BadDeviceToken' })).toEqual(
      trouble('BadDeviceToken'),
    );
  });

  test('410 carries the instant that APNs last knew the token as invalid', () => {
    const outcome = toApnsOutcome({
      status: 410,
      reason: 'Unregistered',
      timestamp: 1_700_000_000_000,
    });

    expect(outcome).toMatchObject({ invalidSince: new Date(1_700_000_000_000) });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    '410 with the timestamp %d has none',
    (timestamp) => {
      const outcome = toApnsOutcome({ status: 410, reason: 'Unregistered', timestamp });

      expect(outcome).toEqual({ kind: 'gone', reason: 'Unregistered', fault: 'dead' });
    },
  );

  test('a wish to wait is kept', () => {
    const answer = { status: 503, reason: 'ServiceUnavailable', retryAfterMs: 7_000 };

    expect(toApnsOutcome(answer)).toEqual({
      ...trouble('ServiceUnavailable'),
      retryAfterMs: 7_000,
    });
  });

  test('an accepted push has the id that APNs gave back', () => {
    expect(toApnsOutcome({ status: 200, providerMessageId: 'id' })).toEqual({
      kind: 'sent',
      providerMessageId: 'id',
    });
  });
});

test('a push that was provably not processed goes again at once, five times', () => {
  expect(toUnprocessed('refused_stream')).toEqual(
    toRequeue('refused_stream', 'other_connection', 5, waitForConnection('refused_stream')),
  );
});
