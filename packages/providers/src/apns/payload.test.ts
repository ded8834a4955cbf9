import { createHash } from 'node:crypto';
import type { JsonObject } from '@heliograph/core';
import { withBody } from '../test-fixtures.ts';
import { findApnsExtrasViolation, toApnsPayload, toApnsPush } from './payload.ts';

const BUNDLE = 'com.example.app';

const toJson = (payload: unknown): unknown => JSON.parse(JSON.stringify(payload));

describe('the payload for APNs', () => {
  test('is the golden vector of the reference', () => {
    const message = withBody({
      title: 'Balance update',
      titleLocKey: 'balance.update.title',
      titleLocArgs: [],
      body: 'Your balance is now $745.00',
      bodyLocKey: 'balance.update.body',
      bodyLocArgs: [],
      badge: 3,
      sound: 'default',
      icon: 'custom-icon',
      category: 'balance-update',
      collapseKey: 'balance-update',
      extras: { _comment: 'Any custom data.', _foo: null },
    });

    const payload = toJson(toApnsPayload(message));

    expect(payload).toStrictEqual({
      aps: {
        badge: 3,
        alert: {
          'loc-key': 'balance.update.body',
          body: 'Your balance is now $745.00',
          title: 'Balance update',
          'title-loc-key': 'balance.update.title',
        },
        sound: 'default',
        category: 'balance-update',
        'thread-id': 'balance-update',
      },
      _comment: 'Any custom data.',
    });
  });

  test('keeps the JSON types of extras, and the nulls inside them', () => {
    const extras = { n: 3, yes: true, list: [1, null], deep: { a: { b: null } }, none: null };

    const payload = toJson(toApnsPayload(withBody({ extras })));

    expect(payload).toStrictEqual({
      n: 3,
      yes: true,
      list: [1, null],
      deep: { a: { b: null } },
      aps: {},
    });
  });

  test('of a silent message has nothing but content-available, and the extras', () => {
    const body = { title: 'T', badge: 3, sound: 'default', collapseKey: 'k', extras: { a: 1 } };

    const { headers, payload } = toApnsPush(withBody(body, { silent: true }), BUNDLE);

    expect(toJson(payload)).toStrictEqual({ a: 1, aps: { 'content-available': 1 } });
    expect(headers).toMatchObject({ 'apns-push-type': 'background', 'apns-priority': '5' });
  });

  test('never lets an extra take the place of aps', () => {
    const extras = { aps: { alert: 'theirs' } };

    expect(toJson(toApnsPayload(withBody({ title: 'ours', extras })))).toStrictEqual({
      aps: { alert: { title: 'ours' } },
    });
    expect(findApnsExtrasViolation(extras)).toMatch('"aps"');
    expect(findApnsExtrasViolation({ other: 1 })).toBeUndefined();
    expect(findApnsExtrasViolation(undefined)).toBeUndefined();
  });

  test('keeps an extra with the name of a prototype', () => {
    const extras: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}');

    const text = JSON.stringify(
      toApnsPayload(withBody({ extras: extras as { [key: string]: number } })),
    );

    expect(text).toBe('{"__proto__":{"polluted":true},"constructor":1,"aps":{}}');
  });

  test('carries arguments only with the key that they fill', () => {
    const body = { titleLocArgs: ['a'], bodyLocKey: 'k', bodyLocArgs: ['b', 'c'] };

    expect(toJson(toApnsPayload(withBody(body)))).toStrictEqual({
      aps: { alert: { 'loc-key': 'k', 'loc-args': ['b', 'c'] } },
    });
  });

  test('sets a badge without an alert', () => {
    expect(toJson(toApnsPayload(withBody({ badge: 0 })))).toStrictEqual({ aps: { badge: 0 } });
  });
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the headers for APNs', () => {
  test('say topic, type, priority and expiration in seconds', () => {
    const expiresAt = new Date(1_700_000_000_999);
    const message = withBody({}, { expiresAt });

    expect(toApnsPush(message, BUNDLE).headers).toEqual({
      'apns-topic': BUNDLE,
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-expiration': '1700000000',
      'apns-collapse-id': message.id,
    });
  });

  test.each([
    ['HIGH', false, '10'],
    ['NORMAL', false, '5'],
    ['HIGH', true, '5'],
    ['NORMAL', true, '5'],
  ] as const)('priority %s, silent %s: %s', (priority, silent, expected) => {
    const { headers } = toApnsPush(withBody({}, { priority, silent }), BUNDLE);

    expect(headers['apns-priority']).toBe(expected);
  });

  test.each([
    ['of 64 bytes stays', 'k'.repeat(64), 'k'.repeat(64)],
    ['of 65 bytes is hashed', 'k'.repeat(65), sha256('k'.repeat(65))],
    ['with a space inside stays', 'a key', 'a key'],
    // Nothing says how a header with other letters arrives; a hash arrives.
    ['of 64 bytes in 32 letters is hashed', 'ž'.repeat(32), sha256('ž'.repeat(32))],
    ['of 65 bytes in 33 letters is hashed', `${'ž'.repeat(32)}k`, sha256(`${'ž'.repeat(32)}k`)],
    ['with a line break is hashed', 'a\r\nx: y', sha256('a\r\nx: y')],
    ['with a space at its end is hashed', 'a ', sha256('a ')],
  ])('a collapse key %s', (_, collapseKey, expected) => {
    const { headers } = toApnsPush(withBody({ collapseKey }), BUNDLE);

    expect(headers['apns-collapse-id']).toBe(expected);
    expect(Buffer.byteLength(headers['apns-collapse-id'])).toBeLessThanOrEqual(64);
  });

  test('an empty collapse key is none', () => {
    const message = withBody({ collapseKey: '' });

    const { headers, payload } = toApnsPush(message, BUNDLE);

    expect(headers['apns-collapse-id']).toBe(message.id);
    expect(toJson(payload)).toStrictEqual({ aps: {} });
  });
});

describe('a raw payload for APNs', () => {
  const toRaw = (aps: JsonObject, beside: JsonObject = {}) => withBody({ raw: { aps, beside } });

  test('goes out as it is, with its own keys next to aps', () => {
    const aps = { alert: 'You have a new message\n', sound: 'default', 'mutable-content': 1 };
    const beside = { brandId: '1', sequence: 7, deep: { a: [null] } };

    const payload = toJson(toApnsPayload(toRaw(aps, beside)));

    expect(payload).toStrictEqual({ ...beside, aps });
  });

  test.each<[JsonObject, string, string]>([
    [{ alert: 'Hi' }, 'alert', '10'],
    [{ badge: 0, 'content-available': 1 }, 'alert', '10'],
    [{ sound: 'default', 'content-available': 1 }, 'alert', '10'],
    [{ 'content-available': 1 }, 'background', '5'],
    [{ 'content-available': 1, 'mutable-content': 1 }, 'background', '5'],
    [{}, 'alert', '10'],
  ])('decides the push type by its aps: %j', (aps, type, priority) => {
    const { headers } = toApnsPush(toRaw(aps), BUNDLE);

    expect(headers).toMatchObject({ 'apns-push-type': type, 'apns-priority': priority });
  });

  test('collapses on the message, so that a repeat replaces it', () => {
    const message = toRaw({ alert: 'Hi' });

    expect(toApnsPush(message, BUNDLE).headers['apns-collapse-id']).toBe(message.id);
  });
});
