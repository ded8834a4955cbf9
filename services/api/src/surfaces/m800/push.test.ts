import { randomUUID } from 'node:crypto';

import { signRequest, toAuthorization } from '@heliograph/core';
import { insertInboxMessage } from '@heliograph/db';
import { openLaneWorker, openRedis } from '@heliograph/queue';
import { eventually, makeDevice } from '@heliograph/testing';

import { openEvents } from '../../../test/open-events.ts';
import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import {
  callSigned,
  makeDeveloperKey,
  makeReceiver,
  pushTo,
  sendRaw,
  type TestKey,
} from '../../../test/signed-request.ts';

let api: TestApi;
let key: TestKey;

beforeAll(async () => {
  api = await openTestApi({ basePaths: ['/base', '/'] });
  key = await makeDeveloperKey(api);
});
afterAll(() => api.close());

function error(status: number, code: number, message: unknown = expect.any(String)) {
  return { status, body: { error: { status, code, message } } };
}

function inboxOf(userId: string) {
  return api.db.selectFrom('inboxMessages').selectAll().where('userId', '=', userId).execute();
}

function messagesOf(userId: string) {
  return api.db.selectFrom('messages').selectAll().where('userId', '=', userId).execute();
}

function deliveriesOf(messageId: string) {
  return api.db
    .selectFrom('deliveries')
    .selectAll()
    .where('messageId', '=', messageId)
    .orderBy('id')
    .execute();
}

describe('POST /api/1.0/push/{username}@{carrier}', () => {
  test('puts appMessage into the inbox and pushes to every device, under one id', async () => {
    const userId = await makeReceiver(api, key);
    await makeDevice(api.db, key.appRef, { userId, provider: 'fcm' });

    const { status, body } = await pushTo(api, key, userId, {
      body: {
        appMessage: { content: 'Hello there' },
        push: { content: 'Knock' },
        sender: 'bob@acme.com',
      },
    });

    const { requestId } = body;
    expect({ status, body }).toEqual({ status: 200, body: { requestId: expect.any(String) } });
    expect(await inboxOf(userId)).toMatchObject([
      {
        id: requestId,
        appRefs: [String(key.appRef)],
        type: 'text',
        subject: 'bob@acme.com',
        summary: 'Hello there',
        body: 'Hello there',
        sender: 'bob@acme.com',
        readAt: null,
      },
    ]);
    const { id: developerKeyRef } = await api.db
      .selectFrom('developerKeys')
      .select('id')
      .where('developerKey', '=', key.developerKey)
      .executeTakeFirstOrThrow();
    expect(await messagesOf(userId)).toMatchObject([
      {
        id: requestId,
        appRef: key.appRef,
        body: { body: 'Knock', extras: { sender: 'bob@acme.com' } },
        silent: false,
        personal: false,
        priority: 'HIGH',
        developerKeyRef,
      },
    ]);
    expect((await deliveriesOf(requestId)).map(({ state }) => state)).toEqual([
      'pending',
      'pending',
    ]);
  });

  test('pushes nothing without push.content, and has the name of the app for a subject', async () => {
    const userId = await makeReceiver(api, key);

    const answers = [
      await pushTo(api, key, userId, { body: { appMessage: { content: 'a' } } }),
      await pushTo(api, key, userId, { body: { appMessage: { content: 'b' }, push: {} } }),
      await pushTo(api, key, userId, { body: { appMessage: { content: 'c' }, push: null } }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await messagesOf(userId)).toEqual([]);
    expect((await inboxOf(userId)).map(({ subject, sender }) => [subject, sender])).toEqual(
      [1, 2, 3].map(() => ['The App', null]),
    );
  });

  test('shows the first 255 characters in lists, and cuts no pair of surrogates', async () => {
    const userId = await makeReceiver(api, key);
    const content = `${'x'.repeat(254)}👋 and more`;

    await pushTo(api, key, userId, { body: { appMessage: { content } } });

    const [message] = await inboxOf(userId);
    expect(message?.summary).toBe(`${'x'.repeat(254)}👋`);
    expect(message?.body).toBe(content);
  });

  test('stores for a user whose only device can take no push, and says so of the delivery', async () => {
    const bare = await makeDeveloperKey(api);
    const { userId } = await makeDevice(api.db, bare.appRef, { provider: 'apns' });

    const answer = await pushTo(api, bare, userId);

    expect(answer.status).toBe(200);
    expect(await inboxOf(userId)).toHaveLength(1);
    expect(await deliveriesOf(answer.body.requestId)).toMatchObject([
      { state: 'skipped', reason: 'not_configured' },
    ]);
  });

  test('is seen at once by who watches the inbox at another replica', async () => {
    const userId = await makeReceiver(api, key);
    const replica = await openTestApi({ beside: api });
    const query = `userId=${userId}&applications=${key.appId}`;
    const stream = await openEvents(`${replica.url}/inbox/messages/stream?${query}`);

    const { body } = await pushTo(api, key, userId);

    const { data } = await eventually(() => {
      const [event] = stream.events;
      expect(event).toBeDefined();
      return { data: event?.data };
    });
    stream.close();
    await replica.close();
    expect(data).toMatchObject({ id: body.requestId, summary: 'Hello', subject: 'The App' });
  });

  test('announces its deliveries to the dispatchers', async () => {
    const userId = await makeReceiver(api, key);
    const announced: string[] = [];
    const connection = openRedis(api.redis.url, 'blocking', () => undefined);
    const worker = openLaneWorker(
      connection,
      async ({ deliveryIds }) => void announced.push(...deliveryIds),
      { prefix: api.redis.prefix, concurrency: 1, onError: () => undefined },
    );

    const { body } = await pushTo(api, key, userId);

    const [delivery] = await deliveriesOf(body.requestId);
    await eventually(() => expect(announced).toContain(delivery?.id));
    await worker.close();
    connection.disconnect();
  });

  test.each([
    ['a raw @', (user: string) => `${user}@acme.com`],
    ['an escaped @', (user: string) => `${user}%40acme.com`],
    ['the other carrier', (user: string) => `${user}@other`],
    ['no carrier, which is the first', (user: string) => user],
  ])('takes a receiver with %s', async (_name, toReceiver) => {
    const userId = await makeReceiver(api, key);

    const { status, body } = await callSigned(api, key, {
      path: `/api/1.0/push/${toReceiver(userId)}`,
      body: { appMessage: { content: 'x' } },
    });

    const stored = await api.db
      .selectFrom('m800Requests')
      .select(['userId', 'carrier'])
      .where('id', '=', body.requestId)
      .executeTakeFirst();
    expect(status).toBe(200);
    expect(stored).toEqual({
      userId,
      carrier: toReceiver('u').endsWith('other') ? 'other' : 'acme.com',
    });
  });

  test.each(['a b', 'a/b', 'ü', '100%', 'a+b', 'me@home', 'a?b#c', '..', 'push', 'requests'])(
    'takes a user who is called %j',
    async (name) => {
      const userId = `${name}${name === '..' || name === 'requests' ? '' : randomUUID()}`;
      await makeDevice(api.db, key.appRef, { userId, provider: 'fcm' });

      const answer = await pushTo(api, key, userId);

      expect(answer.status).toBe(200);
      expect(await inboxOf(userId)).toHaveLength(1);
    },
  );

  test('knows a user by a message in the inbox of the app', async () => {
    const userId = randomUUID();
    const content = { type: 'text' as const, subject: 's', summary: 's', body: 'b' };
    await insertInboxMessage(api.db, {
      id: randomUUID(),
      userId,
      appRefs: [key.appRef],
      ...content,
    });

    const answer = await pushTo(api, key, userId);

    expect(answer.status).toBe(200);
    expect(await deliveriesOf(answer.body.requestId)).toEqual([]);
  });

  test.each([
    ['is unknown', () => 'nobody@acme.com'],
    ['is unknown, without carrier', () => 'nobody'],
    ['has no name', () => '@acme.com'],
    ['has a carrier of nobody', (user: string) => `${user}@elsewhere`],
    ['has an empty carrier', (user: string) => `${user}@`],
    ['has a carrier in other letters', (user: string) => `${user}@ACME.com`],
    ['is malformed', () => '%zz@acme.com'],
    ['is no UTF-8', () => '%ff%fe'],
    ['holds a NUL', () => 'a%00b@acme.com'],
    ['is endless', () => 'x'.repeat(4000)],
  ])('gets 404 when the receiver %s', async (_name, toReceiver) => {
    const userId = await makeReceiver(api, key);

    const answer = await callSigned(api, key, {
      path: `/api/1.0/push/${toReceiver(userId)}`,
      body: { appMessage: { content: 'x' } },
    });

    expect(answer).toMatchObject(error(404, 40401));
    expect(await inboxOf(userId)).toEqual([]);
  });

  test("gets 404 for another app's user", async () => {
    const userId = await makeReceiver(api, await makeDeveloperKey(api));

    const answer = await pushTo(api, key, userId);

    expect(answer).toMatchObject(error(404, 40401));
  });

  test.each([
    ['no body', '', 'There is no body.'],
    ['no JSON', '{"appMessage":', 'The body is not valid JSON.'],
    ['JSON that is no object', '[]', expect.any(String)],
    ['null', 'null', 'appMessage is missing.'],
    ['no appMessage', '{}', 'appMessage is missing.'],
    ['no content', '{"appMessage":{}}', 'appMessage.content is missing.'],
    ['content that is null', '{"appMessage":{"content":null}}', 'appMessage.content is missing.'],
    ['empty content', '{"appMessage":{"content":""}}', 'appMessage.content must not be empty.'],
    ['content that is an object', '{"appMessage":{"content":{}}}', expect.any(String)],
    ['content with a NUL', '{"appMessage":{"content":"a\\u0000"}}', expect.any(String)],
    [
      'content that is too long',
      JSON.stringify({ appMessage: { content: 'x'.repeat(65_537) } }),
      expect.any(String),
    ],
    [
      'an empty push',
      '{"appMessage":{"content":"x"},"push":{"content":""}}',
      'push.content must not be empty.',
    ],
    [
      'a sender without carrier',
      '{"appMessage":{"content":"x"},"sender":"bob"}',
      expect.any(String),
    ],
    ['a sender without name', '{"appMessage":{"content":"x"},"sender":"@c"}', expect.any(String)],
    [
      'a sender of two lines',
      '{"appMessage":{"content":"x"},"sender":"a\\nb@c"}',
      expect.any(String),
    ],
  ])('gets 400 with %s', async (_name, body, message) => {
    const userId = await makeReceiver(api, key);

    const answer = await pushTo(api, key, userId, { body });

    expect(answer).toMatchObject(error(400, 40000, message));
    expect(await inboxOf(userId)).toEqual([]);
  });

  test("gets 400 with a push over a provider's limit, and nothing is stored", async () => {
    const userId = await makeReceiver(api, key);

    const answer = await pushTo(api, key, userId, {
      body: { appMessage: { content: 'x' }, push: { content: 'x'.repeat(5000) } },
    });

    expect(answer).toMatchObject(error(400, 40000));
    expect([await inboxOf(userId), await messagesOf(userId)]).toEqual([[], []]);
  });

  test('gets 400 with a body that is no UTF-8', async () => {
    const userId = await makeReceiver(api, key);
    const path = `/api/1.0/push/${userId}`;
    const body = Buffer.from('7b22617070ff', 'hex');
    const [date, nonce] = [new Date().toUTCString(), 'n'];
    const contentType = 'application/json';
    const parts = { method: 'POST', uri: path, body, contentType, date, nonce, secret: key.secret };

    const answer = await sendRaw(api, {
      method: 'POST',
      path,
      body,
      headers: {
        Authorization: toAuthorization({
          key: key.developerKey,
          nonce,
          signature: signRequest(parts),
        }),
        'X-M-Date': date,
        'Content-Type': contentType,
      },
    });

    expect(answer).toMatchObject(error(400, 40000));
  });

  test.each(['text/plain', 'application/json; charset=iso-8859-1', 'application/jsonx'])(
    'gets 415 with a body that is %s',
    async (contentType) => {
      const userId = await makeReceiver(api, key);

      const answer = await pushTo(api, key, userId, { contentType });

      expect(answer).toMatchObject(error(415, 41500));
    },
  );

  test('gets 415 with a compressed body, for its bytes could be anything', async () => {
    const answer = await pushTo(api, key, 'u', { headers: { 'Content-Encoding': 'gzip' } });

    expect(answer).toMatchObject(error(415, 41500));
  });
});

describe('what is not served under /api/1.0', () => {
  test.each([
    ['GET', '/api/1.0/push/u@c', 405, 'POST'],
    ['PUT', '/api/1.0/push/u@c', 405, 'POST'],
    ['OPTIONS', '/api/1.0/push/u@c', 405, 'POST'],
    ['HEAD', '/api/1.0/push/u@c', 405, 'POST'],
    ['POST', '/api/1.0/push/requests/1', 405, 'GET, HEAD'],
    ['DELETE', '/base/api/1.0/push/requests/1', 405, 'GET, HEAD'],
    ['GET', '/api/1.0', 404, undefined],
    ['GET', '/api/1.0/', 404, undefined],
    ['POST', '/api/1.0/push', 404, undefined],
    ['POST', '/api/1.0/push/', 404, undefined],
    ['POST', '/api/1.0/push/a/b', 404, undefined],
    ['POST', '/base/api/1.0/debug/echo', 404, undefined],
    ['POST', '/api/1.0/%zz', 404, undefined],
  ])('%s %s gets %d in the shape of the surface', async (method, path, status, allow) => {
    const answer = await sendRaw(api, { method, path });

    expect(answer.status).toBe(status);
    expect(answer.headers.allow).toBe(allow);
    if (method !== 'HEAD') expect(answer.body).toEqual(error(status, status * 100).body);
  });

  test.each(['/api/1.00/push/u', '/api/1x0/push/u', '/API/1.0/push/u', '/api/1.0push/u'])(
    '%s is none of it',
    async (path) => {
      const answer = await sendRaw(api, { method: 'POST', path });

      expect(answer).toMatchObject({ status: 404, body: { status: 'ERROR' } });
    },
  );
});
