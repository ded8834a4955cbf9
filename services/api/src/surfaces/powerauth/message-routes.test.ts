import { randomUUID } from 'node:crypto';

import { eventually } from '@heliograph/testing';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
let nextApp = 1;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const KEY = Buffer.from('a key').toString('base64');
const NONE = { sent: 0, failed: 0, pending: 0, total: 0 };
const ONE_PENDING = { sent: 0, failed: 0, pending: 1, total: 1 };

/** An application with both credentials, and a user with an iOS device in it. */
async function createUser() {
  const [appId, userId] = [nextApp++, `user-${randomUUID()}`];
  await api.post('/admin/app/create', { appId });
  await api.post('/admin/app/ios/update', {
    appId,
    bundle: 'b',
    keyId: 'k',
    teamId: 't',
    privateKeyBase64: KEY,
  });
  await api.post('/admin/app/android/update', { appId, projectId: 'p', privateKeyBase64: KEY });
  const activationId = randomUUID();
  await api.post('/push/device/create', {
    appId,
    platform: 'ios',
    token: randomUUID(),
    activationId,
    userId,
  });
  return { appId, userId, activationId };
}

function messagesTo(userId: string) {
  return api.db.selectFrom('messages').selectAll().where('userId', '=', userId).execute();
}

function refusal(message: unknown = expect.any(String)) {
  return { status: 'ERROR', responseObject: { code: 'ERROR_GENERIC', message } };
}

describe('POST /push/message/send', () => {
  test('answers the counts flat, by both names, and as a result, with what is not final as pending', async () => {
    const { appId, userId } = await createUser();

    const answer = await api.post('/push/message/send', {
      appId,
      message: { userId, body: { title: 'x' } },
    });

    const counts = { ios: ONE_PENDING, android: NONE, apns: ONE_PENDING, fcm: NONE, hms: NONE };
    expect(answer.body).toEqual({
      status: 'OK',
      responseObject: {
        mode: 'SYNCHRONOUS',
        messageIds: [expect.any(String)],
        ...counts,
        result: counts,
      },
    });
  });

  test('answers only mode and messageIds when nobody waits', async () => {
    const { appId, userId } = await createUser();

    const answer = await api.post('/push/message/send', {
      appId: String(appId),
      message: { userId, body: {} },
      mode: 'ASYNCHRONOUS',
    });

    const [message] = await messagesTo(userId);
    expect(answer.body).toEqual({
      status: 'OK',
      responseObject: { mode: 'ASYNCHRONOUS', messageIds: [message?.id] },
    });
  });

  test('takes every field, null as absent, and keeps nulls inside extras', async () => {
    const { appId, userId, activationId } = await createUser();
    const body = {
      title: 'Balance update',
      titleLocKey: 'k',
      titleLocArgs: ['a'],
      body: null,
      bodyLocKey: null,
      bodyLocArgs: null,
      icon: 'i',
      sound: 'default',
      category: 'c',
      collapseKey: 'c',
      badge: '3',
      validUntil: '2099-12-11T21:22:29.923+0100',
      extras: { _comment: 'Any custom data.', _foo: null, n: { deep: [1, true, null] } },
      unknown: 'ignored',
    };

    await api.post('/push/message/send', {
      appId,
      mode: null,
      message: {
        userId,
        activationId,
        priority: 'NORMAL',
        attributes: { silent: true, personal: null },
        body,
      },
    });

    expect(await messagesTo(userId)).toMatchObject([
      {
        activationId,
        silent: true,
        personal: false,
        priority: 'NORMAL',
        expiresAt: new Date('2099-12-11T20:22:29.923Z'),
        body: {
          title: 'Balance update',
          titleLocKey: 'k',
          titleLocArgs: ['a'],
          icon: 'i',
          sound: 'default',
          category: 'c',
          collapseKey: 'c',
          badge: 3,
          extras: { _comment: 'Any custom data.', _foo: null, n: { deep: [1, true, null] } },
        },
      },
    ]);
  });

  test('takes validUntil as epoch seconds with a fraction', async () => {
    const { appId, userId } = await createUser();

    await api.post('/push/message/send', {
      appId,
      message: { userId, body: { validUntil: 1_902_402_036.1234567 } },
    });

    expect(await messagesTo(userId)).toMatchObject([{ expiresAt: new Date(1_902_402_036_123) }]);
  });

  test('accepts a past validUntil', async () => {
    const { appId, userId } = await createUser();

    const answer = await api.post('/push/message/send', {
      appId,
      message: { userId, body: { validUntil: '2017-12-11T21:22:29.923Z' } },
    });

    expect(answer.status).toBe(200);
  });

  test('answers zeros for a user without devices', async () => {
    const { appId } = await createUser();

    const answer = await api.post('/push/message/send', {
      appId,
      message: { userId: 'nobody', body: {} },
    });

    expect(answer).toMatchObject({
      status: 200,
      body: { responseObject: { ios: NONE, android: NONE } },
    });
  });

  test.each([
    ['no message', { message: null }],
    ['no application', { appId: null }],
    ['an unknown application', { appId: 'unknown' }],
    ['an unknown mode', { mode: 'synchronous' }],
    ['a mode that is an object', { mode: {} }],
  ])('refuses %s', async (_what, wrong) => {
    const { appId, userId } = await createUser();

    const answer = await api.post('/push/message/send', {
      appId,
      message: { userId, body: {} },
      ...wrong,
    });

    expect(answer).toMatchObject({ status: 400, body: refusal() });
    expect(await messagesTo(userId)).toEqual([]);
  });

  test.each([
    ['no body', { body: null }],
    ['a body that is a list', { body: [] }],
    ['an unknown priority', { priority: 'URGENT' }],
    ['attributes that are text', { attributes: 'silent' }],
    ['a badge that is text', { body: { badge: 'three' } }],
    ['a badge beyond 32 bits', { body: { badge: 2 ** 31 } }],
    ['a title that is an object', { body: { title: {} } }],
    ['a null among arguments', { body: { titleLocArgs: ['a', null] } }],
    ['extras that are a list', { body: { extras: [1] } }],
    ['extras with the key aps', { body: { extras: { aps: {} } } }],
    ['extras with a reserved key', { body: { extras: { from: 'x' } } }],
    ['extras with a NUL character', { body: { extras: { a: ['x\0'] } } }],
    ['extras with a lone surrogate as key', { body: { extras: { '\udfff': 1 } } }],
    ['a title with a lone surrogate', { body: { title: '\ud800' } }],
    ['a validUntil without offset', { body: { validUntil: '2099-01-01T00:00:00' } }],
    ['a validUntil that is no date', { body: { validUntil: '2099-02-30T00:00:00Z' } }],
    ['a validUntil beyond all dates', { body: { validUntil: 1e15 } }],
    ['a payload over 4096 bytes', { body: { title: 'x'.repeat(4096) } }],
  ])('refuses a message with %s', async (_what, wrong) => {
    const { appId, userId } = await createUser();

    const answer = await api.post('/push/message/send', {
      appId,
      message: { userId, body: {}, ...wrong },
    });

    expect(answer).toMatchObject({ status: 400, body: refusal() });
    expect(await messagesTo(userId)).toEqual([]);
  });

  test.each([null, '', 'u'.repeat(256), ['u']])('refuses the user %j', async (userId) => {
    const { appId } = await createUser();

    const answer = await api.post('/push/message/send', { appId, message: { userId, body: {} } });

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });

  test('refuses extras that are nested without end', async () => {
    const { appId, userId } = await createUser();
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);

    const answer = await api.raw(
      '/push/message/send',
      `{"requestObject":{"appId":${appId},"message":{"userId":"${userId}","body":{"extras":{"a":${deep}}}}}}`,
    );

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });
});

describe('POST /push/message/batch/send', () => {
  test('answers message ids in the order of the batch, and the sum of the counts', async () => {
    const { appId, userId } = await createUser();
    const batch = ['one', 'two'].map((title) => ({ userId, body: { title } }));

    const { body } = await api.post('/push/message/batch/send', { appId, batch });

    const stored = await messagesTo(userId);
    const titles = body.responseObject.messageIds.map(
      (id) => stored.find((message) => message.id === id)?.body,
    );
    expect(titles).toEqual([{ title: 'one' }, { title: 'two' }]);
    expect(body.responseObject.ios).toEqual({ sent: 0, failed: 0, pending: 2, total: 2 });
  });

  test.each([0, 21])('refuses %i messages', async (count) => {
    const { appId, userId } = await createUser();
    const batch = Array.from({ length: count }, () => ({ userId, body: {} }));

    const answer = await api.post('/push/message/batch/send', { appId, batch });

    expect(answer).toMatchObject({ status: 400, body: refusal() });
    expect(await messagesTo(userId)).toEqual([]);
  });

  test.each([null, {}, { body: {} }, { userId: 'u', body: { badge: 'x' } }])(
    'names the index of the one that is %j, and sends none of twenty',
    async (wrong) => {
      const { appId, userId } = await createUser();
      const batch = [...Array.from({ length: 19 }, () => ({ userId, body: {} })), wrong];

      const answer = await api.post('/push/message/batch/send', { appId, batch });

      expect(answer).toMatchObject({ status: 400, body: refusal(expect.stringContaining('[19]')) });
      expect(await messagesTo(userId)).toEqual([]);
    },
  );
});

function sendWith(key: string, requestObject: unknown, path = '/push/message/send') {
  return api.call('POST', path, { requestObject }, { 'idempotency-key': key });
}

describe('Idempotency-Key', () => {
  test('gives the first answer again and sends nothing', async () => {
    const { appId, userId } = await createUser();
    const [key, request] = [randomUUID(), { appId, message: { userId, body: {} } }];

    const first = await sendWith(key, request);
    const second = await sendWith(key, request, '/push/message/send/');

    expect(second.body).toEqual(first.body);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(await messagesTo(userId)).toHaveLength(1);
  });

  test('is refused with another body', async () => {
    const { appId, userId } = await createUser();
    const key = randomUUID();

    await sendWith(key, { appId, message: { userId, body: {} } });
    const other = await sendWith(key, { appId, message: { userId, body: { title: 'x' } } });

    expect(other.status).toBe(409);
    expect(other.body.responseObject.code).toBe('ERROR_DATA_INTEGRITY');
    expect(await messagesTo(userId)).toHaveLength(1);
  });

  test('gives the first answer again after the credentials went', async () => {
    const { appId, userId } = await createUser();
    const [key, request] = [randomUUID(), { appId, message: { userId, body: {} } }];

    const first = await sendWith(key, request);
    await api.post('/admin/app/ios/remove', { appId });
    await api.post('/admin/app/android/remove', { appId });
    await eventually(async () => {
      const answer = await api.post('/push/message/send', request);
      expect(answer.status).toBe(400);
    });
    const second = await sendWith(key, request);

    expect(second).toMatchObject({ status: 200, body: first.body });
    expect(second.headers.get('idempotency-replayed')).toBe('true');
  });

  test('is refused when it is too long', async () => {
    const answer = await sendWith('k'.repeat(256), {
      appId: 1,
      message: { userId: 'u', body: {} },
    });

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });
});

describe('GET /push/message/{id}', () => {
  test('tells what became of each delivery', async () => {
    const { appId, userId } = await createUser();
    const sent = await api.post('/push/message/send', { appId, message: { userId, body: {} } });
    const [id] = sent.body.responseObject.messageIds;

    const { body } = await api.get(`/push/message/${id}`);

    const wireDate = expect.stringMatching(/^\d{4}-.*\+00:00$/);
    expect(body.responseObject).toEqual({
      id,
      appId,
      userId,
      createdAt: wireDate,
      expiresAt: wireDate,
      counts: { targeted: 1, sent: 0, failed: 0, expired: 0, skipped: 0, pending: 1, ambiguous: 0 },
      deliveries: [
        {
          id: expect.any(String),
          platform: 'ios',
          state: 'pending',
          attempts: 0,
          nextAttemptAt: wireDate,
          history: [],
        },
      ],
    });
  });

  test('writes the times of attempts as it writes all others', async () => {
    const { appId, userId } = await createUser();
    const sent = await api.post('/push/message/send', { appId, message: { userId, body: {} } });
    const [id = ''] = sent.body.responseObject.messageIds;
    const attempt = { at: '2026-01-02T03:04:05.678Z', nextAttemptAt: '2026-01-02T03:05:05.678Z' };
    await api.db
      .updateTable('deliveries')
      .set({ history: JSON.stringify([{ ...attempt, outcome: 'retry' }]) })
      .where('id', '>', id)
      .where('id', '<=', `${id.slice(0, -4)}ffff`)
      .execute();

    const { body } = await api.get(`/push/message/${id}`);

    expect(body.responseObject.deliveries).toMatchObject([
      {
        history: [
          {
            at: '2026-01-02T03:04:05.678+00:00',
            nextAttemptAt: '2026-01-02T03:05:05.678+00:00',
            outcome: 'retry',
          },
        ],
      },
    ]);
  });

  test.each([randomUUID(), 'x', '%00', '1'])('does not know %s', async (id) => {
    const answer = await api.get(`/push/message/${id}`);

    expect([400, 404]).toContain(answer.status);
    expect(answer.body).toEqual(refusal());
  });
});
