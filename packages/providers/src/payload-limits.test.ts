import type { Json } from '@heliograph/core';
import {
  findPayloadViolation,
  findProxyPayloadViolation,
  MAX_PROXY_BODY_BYTES,
  toPayloadBytes,
} from './payload-limits.ts';
import { toProxyBody } from './proxy/body.ts';
import { withBody } from './test-fixtures.ts';

describe('the size for APNs', () => {
  test('is that of the whole JSON, in bytes', () => {
    const message = withBody({ body: 'žluť' });

    expect(toPayloadBytes(message, 'apns')).toBe(
      Buffer.byteLength('{"aps":{"alert":{"body":"žluť"}}}'),
    );
  });

  test('may be 4096 bytes and no more', () => {
    const empty = toPayloadBytes(withBody({ body: '' }), 'apns');
    const fits = withBody({ body: 'x'.repeat(4096 - empty) });
    const over = withBody({ body: 'x'.repeat(4096 - empty + 1) });

    expect(findPayloadViolation(fits, 'apns')).toBeUndefined();
    expect(findPayloadViolation(over, 'apns')).toBe(
      'The payload for APNs has 4097 bytes; at most 4096 bytes are allowed.',
    );
  });
});

describe('the size for FCM', () => {
  test('is that of the keys and values of data and notification', () => {
    const message = withBody({ title: 'žluť', extras: { a: 'bc', n: { x: 1 } } });
    const notification = `titležluťtag${message.id}notification_priorityPRIORITY_HIGH`;
    const data = 'abcn{"x":1}';

    expect(toPayloadBytes(message, 'fcm')).toBe(Buffer.byteLength(notification + data));
  });

  test('may be 4096 bytes and no more', () => {
    const empty = toPayloadBytes(withBody({ extras: { a: '' } }), 'fcm');
    const fits = withBody({ extras: { a: 'x'.repeat(4096 - empty) } });
    const over = withBody({ extras: { a: 'x'.repeat(4096 - empty + 1) } });

    expect(findPayloadViolation(fits, 'fcm')).toBeUndefined();
    expect(findPayloadViolation(over, 'fcm')).toMatch('FCM has 4097 bytes');
  });

  test('counts the notification inside data, where it goes there', () => {
    const message = withBody({ title: 'T' });

    const asText = toPayloadBytes(message, 'fcm', { dataNotificationOnly: true });

    expect(asText).toBeGreaterThan(toPayloadBytes(message, 'fcm'));
  });
});

describe("the size for a customer's proxy", () => {
  test.each(['apns', 'fcm'] as const)('of %s may be 16 KiB and no more', (provider) => {
    const route = { provider, schema: 'current' } as const;
    const empty = Buffer.byteLength(JSON.stringify(toProxyBody(withBody({ body: 'ž' }), route)));
    const fits = withBody({ body: 'ž' + 'x'.repeat(MAX_PROXY_BODY_BYTES - empty) });
    const over = withBody({ body: 'ž' + 'x'.repeat(MAX_PROXY_BODY_BYTES - empty + 1) });

    expect(findProxyPayloadViolation(fits, route)).toBeUndefined();
    expect(findProxyPayloadViolation(over, route)).toBe(
      "The body for the customer's proxy has 16385 bytes; at most 16384 bytes are allowed.",
    );
  });

  test('is not that of extras which are not sent', () => {
    const extras = { other: 'x'.repeat(20_000) };

    expect(
      findProxyPayloadViolation(withBody({ extras }), { provider: 'fcm', schema: '2017' }),
    ).toBeUndefined();
  });

  test('comes after what LivePerson has no words for', () => {
    const message = withBody({ extras: { sequence: 'x'.repeat(20_000) } });

    expect(findProxyPayloadViolation(message, { provider: 'apns', schema: '2017' })).toMatch(
      '"sequence"',
    );
  });
});

describe("a raw payload for a customer's proxy", () => {
  const route = { provider: 'fcm', schema: 'current' } as const;

  test('may be for the platform of the route alone', () => {
    const raw = { aps: { alert: 'Hi' }, beside: {} };

    expect(findProxyPayloadViolation(withBody({ raw }), route)).toMatch('is for APNs');
    expect(
      findProxyPayloadViolation(withBody({ raw }), { ...route, provider: 'apns' }),
    ).toBeUndefined();
  });

  test('too deep to be serialised is too big', () => {
    let deep: Json = 1;
    for (let level = 0; level < 50_000; level += 1) deep = [deep];

    expect(findProxyPayloadViolation(withBody({ raw: { data: { deep } } }), route)).toMatch(
      'nested too deep',
    );
  });
});

test.each(['apns', 'fcm'] as const)(
  'extras too deep to be serialised are too big for %s',
  (provider) => {
    let deep: Json = 1;
    for (let level = 0; level < 50_000; level += 1) deep = [deep];

    const violation = findPayloadViolation(withBody({ extras: { deep } }), provider);

    expect(violation).toMatch('nested too deep');
  },
);

test('a reserved key is named', () => {
  expect(findPayloadViolation(withBody({ extras: { aps: 1 } }), 'apns')).toMatch('"aps"');
  expect(findPayloadViolation(withBody({ extras: { aps: 1 } }), 'fcm')).toBeUndefined();
  expect(findPayloadViolation(withBody({ extras: { from: 1 } }), 'fcm')).toMatch('"from"');
  expect(findPayloadViolation(withBody({ extras: { from: 1 } }), 'apns')).toBeUndefined();
});

describe('a raw payload', () => {
  test('counts as it will be sent', () => {
    const data = { message: 'ž', payload: { a: 1 } };

    expect(toPayloadBytes(withBody({ raw: { data } }), 'fcm')).toBe(
      Buffer.byteLength('messagežpayload{"a":1}'),
    );
    expect(
      toPayloadBytes(withBody({ raw: { aps: { alert: 'ž' }, beside: { b: 1 } } }), 'apns'),
    ).toBe(Buffer.byteLength('{"b":1,"aps":{"alert":"ž"}}'));
  });

  test.each([
    ['apns', { aps: { alert: 'x'.repeat(4096) }, beside: {} }, 'at most 4096 bytes'],
    ['fcm', { data: { message: 'x'.repeat(4096) } }, 'at most 4096 bytes'],
    ['fcm', { data: { from: 'x' } }, '"from"'],
    ['fcm', { aps: {}, beside: {} }, 'is for APNs'],
    ['apns', { data: {} }, 'is for FCM'],
  ] as const)('that %s would not take is refused: %#', (provider, raw, violation) => {
    expect(findPayloadViolation(withBody({ raw }), provider)).toMatch(violation);
  });
});
