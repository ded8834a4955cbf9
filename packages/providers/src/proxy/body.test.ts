import type { MessageBody, PushMessage } from '@heliograph/core';

import { withBody } from '../test-fixtures.ts';
import { findProxyBodyViolation, toProxyBody, type ProxyRoute } from './body.ts';

const IOS: ProxyRoute = { provider: 'apns', schema: 'current' };
const ANDROID: ProxyRoute = { provider: 'fcm', schema: 'current' };

/** As it goes over the wire: what is undefined is left out. */
const toJson = (message: PushMessage, route: ProxyRoute): unknown =>
  JSON.parse(JSON.stringify(toProxyBody(message, route)));

const CONVERSATION = {
  backendService: 'ams',
  conversationId: '19a6ff10-cbcb-4a0a-9ad1-2c2d6a6d6a0a',
  dialogId: '7c1f0a51-2f4d-4ba4-94a1-c7f5f6c2a7de',
  originatorId: '12345678.903',
  brandId: '12345678',
};
const MESSAGE = withBody({
  body: 'Hello there\\n',
  sound: 'chime.caf',
  badge: 3,
  extras: { ...CONVERSATION, sequence: 7, orderId: 'not documented', nothing: null },
});

describe('the body for an iPhone', () => {
  test('has a raw aps, and all that identifies the message beside it', () => {
    expect(toJson(MESSAGE, IOS)).toEqual({
      'push-service': 1,
      notificationType: 'apn',
      ...CONVERSATION,
      badge: 3,
      sequence: 7,
      aps: { alert: 'Hello there\\n', sound: 'chime.caf' },
    });
  });

  test('of 2017 knows no dialog, badge or sequence', () => {
    const { dialogId: _, ...known } = CONVERSATION;

    expect(toJson(MESSAGE, { ...IOS, schema: '2017' })).toEqual({
      'push-service': 1,
      notificationType: 'apn',
      ...known,
      aps: { alert: 'Hello there\\n', sound: 'chime.caf' },
    });
  });

  test('leaves out what is not there', () => {
    expect(toJson(withBody({}), IOS)).toEqual({
      'push-service': 1,
      notificationType: 'apn',
      aps: {},
    });
  });

  test('that only wakes the app says so as APNs does, and shows nothing', () => {
    const message = withBody({ title: 'a', body: 'b', sound: 'c', badge: 1 }, { silent: true });

    expect(toJson(message, IOS)).toMatchObject({ badge: 1, aps: { 'content-available': 1 } });
    expect(toJson(message, IOS)).not.toHaveProperty('aps.alert');
    expect(toJson(message, IOS)).not.toHaveProperty('aps.sound');
  });
});

describe('the body for an Android phone', () => {
  test('has nothing but the way there at its top, and the rest in data', () => {
    expect(toJson(MESSAGE, ANDROID)).toEqual({
      'push-service': 2,
      notificationType: 'gcm',
      data: {
        message: 'Hello there\\n',
        payload: { ...CONVERSATION, badge: 3, sequence: 7 },
      },
    });
  });

  test('of 2017 knows no dialog, badge or sequence', () => {
    const { dialogId: _, ...known } = CONVERSATION;

    expect(toJson(MESSAGE, { ...ANDROID, schema: '2017' })).toEqual({
      'push-service': 2,
      notificationType: 'gcm',
      data: { message: 'Hello there\\n', payload: known },
    });
  });

  test('leaves out what is not there', () => {
    expect(toJson(withBody({}), ANDROID)).toEqual({
      'push-service': 2,
      notificationType: 'gcm',
      data: { payload: {} },
    });
  });

  test('that only wakes the app has no text', () => {
    const message = withBody({ body: 'b', extras: { sequence: 2 } }, { silent: true });

    expect(toJson(message, ANDROID)).toMatchObject({ data: { payload: { sequence: 2 } } });
    expect(toJson(message, ANDROID)).not.toHaveProperty('data.message');
  });
});

describe('what a message does not say', () => {
  const defaults = { brandId: '87654321', backendService: 'prmsg/c2m' };

  test('the credential says', () => {
    expect(toJson(withBody({ body: 'a' }), { ...IOS, ...defaults })).toMatchObject(defaults);
    expect(toJson(withBody({ body: 'a' }), { ...ANDROID, ...defaults })).toMatchObject({
      data: { payload: defaults },
    });
  });

  test('and what it says comes first', () => {
    expect(toJson(MESSAGE, { ...IOS, ...defaults })).toMatchObject(CONVERSATION);
  });
});

describe('the text', () => {
  test.each<[MessageBody, string | undefined]>([
    [{ body: 'only a body' }, 'only a body'],
    [{ title: 'only a title' }, 'only a title'],
    [{ title: 'a title', body: 'and a body' }, 'a title\nand a body'],
    [{ title: '', body: 'and a body' }, 'and a body'],
    [{ body: 'pass\\n "it" on \u{1F389}' }, 'pass\\n "it" on \u{1F389}'],
    [{ body: '' }, undefined],
  ])('of %j is %j', (body, text) => {
    expect(toJson(withBody(body), IOS)).toHaveProperty('aps', text ? { alert: text } : {});
    expect(toJson(withBody(body), ANDROID)).toHaveProperty('data', {
      ...(text && { message: text }),
      payload: {},
    });
  });
});

describe('a message is refused', () => {
  test.each<[string, MessageBody]>([
    ['"brandId" must be a text', { body: 'a', extras: { brandId: 12345678 } }],
    ['"conversationId" must be a text', { body: 'a', extras: { conversationId: {} } }],
    ['"sequence" must be a number', { body: 'a', extras: { sequence: '7' } }],
    ['no localisation keys', { titleLocKey: 'GREETING' }],
    ['no localisation keys', { bodyLocKey: 'GREETING', bodyLocArgs: ['Eve'] }],
  ])('with the words %s', (words, body) => {
    expect(findProxyBodyViolation(withBody(body))).toContain(words);
  });

  test.each<[MessageBody]>([
    [{}],
    [{ body: 'a', bodyLocKey: 'GREETING' }],
    [{ body: 'a', extras: { brandId: null, sequence: null, other: 1 } }],
    [MESSAGE.body],
  ])('but not %j', (body) => {
    expect(findProxyBodyViolation(withBody(body))).toBeUndefined();
  });

  test('nor one that shows nothing anyway', () => {
    const message = withBody({ titleLocKey: 'GREETING' }, { silent: true });

    expect(findProxyBodyViolation(message)).toBeUndefined();
  });
});

describe('a payload that LivePerson made', () => {
  test('is handed on as it came', () => {
    const aps = { alert: 'Hello', sound: 'default' };
    const ios = withBody({ raw: { aps, beside: { ...CONVERSATION, sequence: 7 } } });
    const data = { message: 'Hello', payload: { ...CONVERSATION, sequence: 7 } };

    expect(toJson(ios, { ...IOS, brandId: 'another' })).toEqual({
      'push-service': 1,
      notificationType: 'apn',
      ...CONVERSATION,
      sequence: 7,
      aps,
    });
    expect(toJson(withBody({ raw: { data } }), ANDROID)).toEqual({
      'push-service': 2,
      notificationType: 'gcm',
      data,
    });
  });
});
