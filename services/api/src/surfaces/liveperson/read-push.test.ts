import { Refusal } from '@heliograph/core';
import { toAndroidBody, toIosBody } from '@heliograph/testing/live-person';

import { readPush } from './read-push.ts';

const NAMES = { brandId: '89961346', deviceToken: 'a token of the customer’s own' };

const read = (body: unknown) => readPush(Buffer.from(JSON.stringify(body)));

/** A copy without these fields. */
const without = (body: object, ...fields: string[]) =>
  Object.fromEntries(Object.entries(body).filter(([key]) => !fields.includes(key)));

describe('a body for iOS', () => {
  test('of today goes to the app with its identifiers, and its text as it is', () => {
    const body = toIosBody('today', NAMES);

    const push = read(body);

    expect(push).toStrictEqual({
      provider: 'apns',
      ...NAMES,
      conversationId: body.conversationId,
      sequence: '3',
      raw: {
        aps: { alert: 'Hi there\n', sound: 'default' },
        beside: {
          backendService: 'ams',
          conversationId: body.conversationId,
          dialogId: body.dialogId,
          originatorId: body.originatorId,
          brandId: NAMES.brandId,
          badge: 1,
          sequence: 3,
        },
      },
    });
  });

  test('of 2017 has no sequence', () => {
    expect(read(toIosBody('2017', NAMES))).toMatchObject({
      provider: 'apns',
      sequence: undefined,
      conversationId: expect.any(String),
    });
  });

  test('hands on what we don’t know', () => {
    const strange = { data: [1, null], nothing: null, __v: { deep: ['ž'] } };

    expect(read({ ...toIosBody('2017', NAMES), ...strange })).toMatchObject({
      raw: { beside: strange },
    });
  });

  test('hands on a key that objects have a meaning for', () => {
    const text = JSON.stringify(toIosBody('2017', NAMES)).replace('{', '{"__proto__":{"x":1},');

    const { raw } = readPush(Buffer.from(text));

    expect(JSON.stringify(raw)).toContain('"__proto__":{"x":1}');
  });
});

describe('a body for Android', () => {
  test('of today is its data; the identifiers stand in the payload', () => {
    const body = toAndroidBody('today', NAMES);

    expect(read(body)).toStrictEqual({
      provider: 'fcm',
      ...NAMES,
      conversationId: body.data.payload.conversationId,
      sequence: '3',
      raw: { data: body.data },
    });
  });

  test('may have its identifiers at the top', () => {
    const { data, ...rest } = toAndroidBody('today', NAMES);
    const body = { ...rest, ...data.payload, data: { message: data.message } };

    expect(read(body)).toMatchObject({ provider: 'fcm', brandId: NAMES.brandId, sequence: '3' });
  });
});

describe('the service', () => {
  const ios = toIosBody('today', NAMES);
  const both = { ...ios, data: { message: 'Hi' } };

  test.each([
    ['in capitals', { ...ios, notificationType: 'APN' }, 'apns'],
    ['as a text', { ...ios, 'push-service': '1' }, 'apns'],
    ['by its number alone', without(ios, 'notificationType'), 'apns'],
    ['by its name alone', without(ios, 'push-service'), 'apns'],
    ['by the payload alone', without(ios, 'push-service', 'notificationType'), 'apns'],
    ['with both payloads', both, 'apns'],
    ['with both payloads', { ...both, 'push-service': 2, notificationType: 'gcm' }, 'fcm'],
    ['as null', { ...ios, 'push-service': null }, 'apns'],
  ])('is known %s', (_, body, provider) => {
    expect(read(body).provider).toBe(provider);
  });

  test.each([
    ['the other one in each field', { ...ios, 'push-service': 2 }, 'different services'],
    ['a number that is none', { ...ios, 'push-service': 7 }, 'push-service must be one of'],
    ['a name that is none', { ...ios, notificationType: 'wns' }, 'notificationType must be one of'],
    ['both payloads and no name', without(both, 'push-service', 'notificationType'), 'missing'],
    ['nothing at all', without(ios, 'push-service', 'notificationType', 'aps'), 'missing'],
    [
      'the payload of the other',
      { ...ios, 'push-service': 2, notificationType: 'gcm' },
      'data must',
    ],
    ['Huawei', { ...ios, 'push-service': 3, notificationType: 'HUAWEI' }, 'Huawei'],
  ])('is refused with %s', (_, body, words) => {
    expect(() => read(body)).toThrow(words);
  });
});

test.each([
  ['no token', { 'device-token': undefined }, 'device-token'],
  ['an empty token', { 'device-token': '' }, 'device-token'],
  ['a token that is no text', { 'device-token': 1 }, 'device-token'],
  ['a token of over 4096 bytes', { 'device-token': 'ž'.repeat(2_049) }, '4096'],
  ['no brand', { brandId: undefined }, 'brandId'],
  ['a brand that is no text', { brandId: {} }, 'brandId'],
  ['a brand that is long', { brandId: 'x'.repeat(256) }, 'brandId'],
  ['an aps that is none', { aps: 'Hi' }, 'aps must be an object'],
  ['a NUL', { aps: { alert: 'a\0b' } }, 'NUL'],
])('a body with %s is refused', (_, change, words) => {
  const reading = () => read({ ...toIosBody('today', NAMES), ...change });

  expect(reading).toThrow(words);
  expect(reading).toThrow(Refusal);
});

test('a brand that is a number is that number', () => {
  expect(read({ ...toIosBody('today', NAMES), brandId: 89_961_346 }).brandId).toBe('89961346');
});

test('a sequence too big to be exact is none', () => {
  const text = JSON.stringify(toIosBody('today', NAMES)).replace(
    '"sequence":3',
    '"sequence":9007199254740993',
  );

  expect(readPush(Buffer.from(text)).sequence).toBeUndefined();
});

test('a body too deep to be walked is refused', () => {
  const deep = `{"aps":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;

  expect(() => readPush(Buffer.from(deep))).toThrow('32 levels');
});
