import { withBody } from '../test-fixtures.ts';
import { findFcmExtrasViolation, toFcmMessage } from './payload.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const afterSeconds = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

const toJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const FULL = {
  title: 'Balance update',
  titleLocKey: 'balance.update.title',
  titleLocArgs: ['a'],
  body: 'Your balance is now $745.00',
  bodyLocKey: 'balance.update.body',
  bodyLocArgs: [],
  badge: 3,
  sound: 'default',
  icon: 'custom-icon',
  category: 'balance',
  collapseKey: 'balance-update',
};

describe('the message for FCM', () => {
  test('has everything under android', () => {
    const message = withBody(FULL, { expiresAt: afterSeconds(3600) });

    expect(toJson(toFcmMessage(message, NOW))).toStrictEqual({
      android: {
        priority: 'HIGH',
        ttl: '3600s',
        collapse_key: 'balance-update',
        notification: {
          title: 'Balance update',
          title_loc_key: 'balance.update.title',
          title_loc_args: ['a'],
          body: 'Your balance is now $745.00',
          body_loc_key: 'balance.update.body',
          icon: 'custom-icon',
          sound: 'default',
          tag: 'balance',
          notification_priority: 'PRIORITY_HIGH',
        },
      },
    });
  });

  test.each([
    [{ category: 'cat', collapseKey: 'key' }, 'cat', 'key'],
    [{ collapseKey: 'key' }, 'key', 'key'],
    [{ category: 'cat' }, 'cat', undefined],
    [{ category: '', collapseKey: '' }, undefined, undefined],
  ])('of %j has tag %s and collapse key %s', (body, tag, collapseKey) => {
    const message = withBody(body);

    const { android } = toFcmMessage(message, NOW);

    expect(android.notification?.tag).toBe(tag ?? message.id);
    expect(android.collapse_key).toBe(collapseKey);
  });

  test.each([
    ['HIGH', 'PRIORITY_HIGH'],
    ['NORMAL', 'PRIORITY_DEFAULT'],
  ] as const)('of priority %s', (priority, expected) => {
    const { android } = toFcmMessage(withBody({}, { priority }), NOW);

    expect(android.priority).toBe(priority);
    expect(android.notification?.notification_priority).toBe(expected);
  });

  test.each([
    [3600, '3600s'],
    [0.9, '0s'],
    [0, '0s'],
    [-3600, '0s'],
    [2_419_199.9, '2419199s'],
    [2_419_200, '2419200s'],
    [9_999_999, '2419200s'],
  ])('that expires in %d s lives %s', (seconds, ttl) => {
    const message = withBody({}, { expiresAt: afterSeconds(seconds) });

    expect(toFcmMessage(message, NOW).android.ttl).toBe(ttl);
  });

  test('has strings for data, and JSON for what is none', () => {
    const extras = {
      text: 'as is',
      quoted: '"q"',
      n: 3,
      yes: true,
      nested: { a: 1, b: [1, null] },
      list: [],
      none: null,
    };

    expect(toFcmMessage(withBody({ extras }), NOW).data).toEqual({
      text: 'as is',
      quoted: '"q"',
      n: '3',
      yes: 'true',
      nested: '{"a":1,"b":[1,null]}',
      list: '[]',
    });
  });

  test('has no data where there are only nulls', () => {
    expect(toFcmMessage(withBody({ extras: { none: null } }), NOW).data).toBeUndefined();
  });

  test('carries arguments only with the key that they fill', () => {
    const { android } = toFcmMessage(withBody({ titleLocArgs: ['a'] }), NOW);

    expect(android.notification?.title_loc_args).toBeUndefined();
  });
});

describe('a silent message for FCM', () => {
  test('is data only, with an id that tells a repeat', () => {
    const message = withBody({ title: 'T', extras: { a: 1 } }, { silent: true });

    const { data, android } = toFcmMessage(message, NOW);

    expect(data).toEqual({ message_id: message.id, a: '1' });
    expect(android.notification).toBeUndefined();
    expect(android.priority).toBe('HIGH');
  });

  test("leaves a caller's own message_id alone", () => {
    const message = withBody({ extras: { message_id: 'theirs' } }, { silent: true });

    expect(toFcmMessage(message, NOW).data).toEqual({ message_id: 'theirs' });
  });
});

test.each([false, true])(
  'data messages only: the notification is JSON text (silent: %s)',
  (silent) => {
    const message = withBody(FULL, { silent });

    const { data, android } = toFcmMessage(message, NOW, { dataNotificationOnly: true });

    expect(android.notification).toBeUndefined();
    expect(data?.['message_id']).toBe(message.id);
    expect(JSON.parse(data?.['_notification'] ?? '')).toMatchObject({
      title: 'Balance update',
      tag: 'balance',
    });
  },
);

test.each(['from', 'message_type', 'google.x', 'gcm.notification.x', 'gcm.x'])(
  'the key %s belongs to FCM',
  (key) => {
    expect(findFcmExtrasViolation({ ok: 1, [key]: 1 })).toMatch(`"${key}"`);
  },
);

test.each(['From', 'fromage', 'googly', 'gcm', 'message_id'])('the key %s is free', (key) => {
  expect(findFcmExtrasViolation({ [key]: 1 })).toBeUndefined();
});

describe('raw data for FCM', () => {
  const data = { message: 'You have a new message\n', payload: { brandId: '1', sequence: 7 } };

  test('goes out as data alone, with JSON text for what is no string', () => {
    const message = withBody({ raw: { data } }, { expiresAt: afterSeconds(60) });

    expect(toJson(toFcmMessage(message, NOW))).toStrictEqual({
      data: { message: data.message, payload: JSON.stringify(data.payload) },
      android: { priority: 'HIGH', ttl: '60s' },
    });
  });

  test('is the same where notifications go as data', () => {
    const message = withBody({ raw: { data } });

    expect(toFcmMessage(message, NOW, { dataNotificationOnly: true })).toStrictEqual(
      toFcmMessage(message, NOW),
    );
  });
});
