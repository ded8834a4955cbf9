import { randomUUID } from 'node:crypto';

import { CALLBACKS_START, toCallbackCursor } from '@heliograph/core';
import {
  failCallback,
  findAppRef,
  findCallbackEndpoint,
  insertDeveloperKey,
  insertPing,
  listCallbackEvents,
  toCallbackSecretPlace,
} from '@heliograph/db';
import { eventually, findAppId, makeDevice } from '@heliograph/testing';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import { makeDeveloperKey, makeReceiver, pushTo } from '../../../test/signed-request.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});
const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
  await api.close();
});

const CALL = { events: 0, after: CALLBACKS_START, end: CALLBACKS_START };
const URL_OF_RECEIVER = 'https://receiver.example/outcomes?for=us';
const START = toCallbackCursor(CALLBACKS_START);

let nextApp = 1;

async function createApp() {
  const appId = nextApp++;
  await api.post('/admin/app/create', { appId });
  const appRef = (await findAppRef(api.db, String(appId))) ?? 0;
  return { appId, appRef, owner: { appRef, developerKeyRef: 0 } };
}

async function createDeveloperKey(appRef: number): Promise<string> {
  const developerKey = randomUUID();
  const secret = { id: randomUUID(), sealedSecret: Buffer.from('sealed') };
  await insertDeveloperKey(api.db, { developerKey, appRef, name: 'a', carriers: ['acme'] }, secret);
  return developerKey;
}

/** The `responseObject` of a success. */
async function ok(answering: Promise<{ readonly status: number; readonly text: string }>) {
  const { status, text } = await answering;
  expect([status, text]).toEqual([200, expect.any(String)]);
  return (JSON.parse(text) as { responseObject: Readonly<Record<string, unknown>> }).responseObject;
}

const create = (request: object) => ok(api.post('/admin/app/callback/create', request));
const list = async (appId: number) =>
  (await ok(api.get(`/admin/app/callback/list?appId=${appId}`)))['callbackList'];

async function openSecrets(callbackId: unknown): Promise<string[]> {
  const rows = await api.db
    .selectFrom('callbackSecrets')
    .selectAll()
    .where('endpointRef', '=', Number(callbackId))
    .orderBy('usedFrom')
    .execute();
  return rows.map(({ id, sealedSecret }) =>
    api.secrets.open(sealedSecret, toCallbackSecretPlace(id)).toString(),
  );
}

describe('POST /admin/app/callback/create', () => {
  test('answers a key and a secret, which is kept sealed and never shown again', async () => {
    const { appId } = await createApp();

    const made = await create({ appId, url: URL_OF_RECEIVER, types: ['run', 'delivery.failed'] });

    expect(made).toEqual({
      id: expect.any(Number),
      url: URL_OF_RECEIVER,
      key: expect.stringMatching(/^cb-[0-9a-f]{24}$/),
      secret: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(await openSecrets(made['id'])).toEqual([made['secret']]);
    const listed = await list(appId);
    expect(listed).toEqual([
      {
        id: made['id'],
        url: URL_OF_RECEIVER,
        key: made['key'],
        developerKey: null,
        types: ['run', 'delivery.failed'],
        timestampCreated: expect.any(String),
        state: 'active',
        failures: 0,
        failingSince: null,
        nextAttempt: expect.any(String),
        lastAttempt: null,
        lastSuccess: null,
        lastResult: null,
        passedOver: 0,
        suspendedBecause: null,
        cursor: expect.stringMatching(/^[\w-]{32}$/),
      },
    ]);
  });

  test('of a developer key has no secret of its own', async () => {
    const { appId, appRef } = await createApp();
    const developerKey = await createDeveloperKey(appRef);

    const made = await create({ developerKey, url: URL_OF_RECEIVER });

    expect(made).toEqual({
      id: expect.any(Number),
      url: URL_OF_RECEIVER,
      key: developerKey,
      secret: null,
    });
    expect(await openSecrets(made['id'])).toEqual([]);
    expect(await list(appId)).toMatchObject([{ developerKey, key: developerKey, types: null }]);
  });

  test.each([
    ['http://receiver.example/', 'https'],
    ['https://127.0.0.1/', 'public'],
    ['https://[::ffff:10.0.0.1]/', 'public'],
    ['https://169.254.169.254/latest', 'public'],
    ['https://localhost:8443/', 'public'],
    ['https://user:password@receiver.example/', 'password'],
    ['https://receiver.example/#here', 'fragment'],
    ['receiver', 'URL'],
  ])('refuses %s', async (url, hint) => {
    const { appId } = await createApp();

    const answer = await api.post('/admin/app/callback/create', { appId, url });

    expect(answer.status).toBe(400);
    expect(answer.body.responseObject.message).toContain(hint);
  });

  test('takes a private address where the operator allows it', async () => {
    const inside = await openTestApi({ allowPrivateAddresses: true });
    closing.push(() => inside.close());
    await inside.post('/admin/app/create', { appId: 1 });

    const answer = await inside.post('/admin/app/callback/create', {
      appId: 1,
      url: 'https://127.0.0.1:8443/',
    });

    expect(answer.status).toBe(200);
  });

  test.each([
    { appId: 999_999 },
    {},
    { developerKey: 'unknown' },
    { types: ['delivery.lost'] },
    { types: [] },
    { types: ['ping'] },
    { url: `https://receiver.example/${'a'.repeat(2_048)}` },
  ])('refuses %j', async (request) => {
    const { appId } = await createApp();
    const owner = 'types' in request || 'url' in request ? { appId } : {};

    const answer = await api.post('/admin/app/callback/create', {
      url: URL_OF_RECEIVER,
      ...owner,
      ...request,
    });

    expect(answer.status).toBe(400);
  });

  test('refuses the developer key of another app, and an eleventh callback', async () => {
    const { appId, appRef } = await createApp();
    const other = await createApp();
    const developerKey = await createDeveloperKey(appRef);
    for (let n = 0; n < 10; n += 1) await create({ appId, url: `${URL_OF_RECEIVER}&n=${n}` });

    const strange = await api.post('/admin/app/callback/create', {
      appId: other.appId,
      developerKey,
      url: URL_OF_RECEIVER,
    });
    const eleventh = await api.post('/admin/app/callback/create', { appId, url: URL_OF_RECEIVER });

    expect([strange.status, eleventh.status]).toEqual([400, 409]);
    expect((await create({ appId, developerKey, url: URL_OF_RECEIVER }))['key']).toBe(developerKey);
  });
});

describe('POST /admin/app/callback/rotate', () => {
  test('makes a secret that replaces the old one at once, or later', async () => {
    const { appId } = await createApp();
    const made = await create({ appId, url: URL_OF_RECEIVER });
    const callbackId = made['id'];
    const rotate = (request: object = {}) =>
      ok(api.post('/admin/app/callback/rotate', { callbackId, ...request }));

    const second = await rotate();
    expect(await openSecrets(callbackId)).toEqual([second['secret']]);
    await rotate({ useAfterSeconds: 3_600 });
    const later = await rotate({ useAfterSeconds: 60 });

    expect(second).toEqual({
      key: made['key'],
      secret: expect.stringMatching(/^[\w-]{43}$/),
      usedFrom: expect.any(String),
    });
    expect(second['secret']).not.toBe(made['secret']);
    expect(await openSecrets(callbackId)).toEqual([second['secret'], later['secret']]);
    expect(Date.parse(String(later['usedFrom']))).toBeGreaterThan(Date.now());
  });

  test('refuses a callback of a developer key, and one that is unknown', async () => {
    const { appRef } = await createApp();
    const developerKey = await createDeveloperKey(appRef);
    const { id } = await create({ developerKey, url: URL_OF_RECEIVER });

    const answers = [
      await api.post('/admin/app/callback/rotate', { callbackId: id }),
      await api.post('/admin/app/callback/rotate', { callbackId: 999_999 }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
  });
});

describe('POST /admin/app/callback/delete', () => {
  test('forgets the callback and its secrets, once', async () => {
    const { appId } = await createApp();
    const { id: callbackId } = await create({ appId, url: URL_OF_RECEIVER });

    const answers = [
      await api.post('/admin/app/callback/delete', { callbackId }),
      await api.post('/admin/app/callback/delete', { callbackId }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    expect(await list(appId)).toEqual([]);
    expect(await openSecrets(callbackId)).toEqual([]);
  });
});

describe('POST /admin/app/callback/resume', () => {
  test('has a callback tried again that was suspended, from a cursor where one is given', async () => {
    const { appId } = await createApp();
    const { id } = await create({ appId, url: URL_OF_RECEIVER });
    const callbackId = Number(id);
    const failure = { result: '410', latencyMs: 1, delayMs: 60_000, isGone: true };
    await failCallback(
      api.db,
      { id: callbackId, leaseEpoch: 0 },
      { ...failure, giveUpAfterMs: 60_000, call: CALL },
    );
    expect(await list(appId)).toMatchObject([
      { state: 'suspended', suspendedBecause: 'gone', nextAttempt: null, lastResult: '410' },
    ]);

    const answer = await api.post('/admin/app/callback/resume', { callbackId, after: START });

    expect(answer.status).toBe(200);
    expect(await list(appId)).toMatchObject([{ state: 'active', cursor: START }]);
  });

  test('tells again what was written from an instant on', async () => {
    const { appId, owner } = await createApp();
    const { id } = await create({ appId, url: URL_OF_RECEIVER });
    for (const n of [1, 2, 3]) await insertPing(api.db, owner, n);
    const [, second, last] = await listCallbackEvents(api.db, owner, CALLBACKS_START, 10);
    if (second === undefined || last === undefined) throw new Error('there are no events');
    await api.db
      .updateTable('callbackEndpoints')
      .set({ positionXid: last.xid, positionId: last.id })
      .where('id', '=', Number(id))
      .execute();
    const resume = (since: Date) =>
      api.post('/admin/app/callback/resume', { callbackId: id, since: since.toISOString() });

    const future = await resume(new Date(Date.now() + 3_600_000));
    const untouched = await list(appId);
    const past = await resume(new Date(Date.now() - 3_600_000));
    const told = await findCallbackEndpoint(api.db, Number(id));

    expect([future.status, past.status]).toEqual([200, 200]);
    expect(untouched).toMatchObject([{ cursor: toCallbackCursor(last) }]);
    const again = { xid: told?.positionXid ?? '', id: told?.positionId ?? '' };
    expect(again).not.toEqual(CALLBACKS_START);
    expect(await listCallbackEvents(api.db, owner, again, 10)).toHaveLength(3);
  });

  test('passes over nothing that was not told yet', async () => {
    const { appId, owner } = await createApp();
    const { id } = await create({ appId, url: URL_OF_RECEIVER });
    await insertPing(api.db, owner, 1);
    await ok(api.post('/admin/app/callback/resume', { callbackId: id, after: START }));
    const since = new Date(Date.now() - 3_600_000).toISOString();

    await ok(api.post('/admin/app/callback/resume', { callbackId: id, since }));

    expect(await list(appId)).toMatchObject([{ cursor: START }]);
  });

  test.each([
    { callbackId: 999_999 },
    { after: 'no cursor' },
    { after: '' },
    { after: START, since: 1 },
    { since: 'yesterday' },
  ])('refuses %j', async (request) => {
    const { appId } = await createApp();
    const { id } = await create({ appId, url: URL_OF_RECEIVER });

    const answer = await api.post('/admin/app/callback/resume', { callbackId: id, ...request });

    expect(answer.status).toBe(400);
  });
});

describe('the calls of a callback', () => {
  /** A callback, and so many calls of one ping each that it refused. */
  async function makeCalls(count: number) {
    const { appId, owner } = await createApp();
    const { id } = await create({ appId, url: URL_OF_RECEIVER });
    const callbackId = Number(id);
    for (let n = 0; n < count; n += 1) await insertPing(api.db, owner, n);
    const events = await listCallbackEvents(api.db, owner, CALLBACKS_START, count);
    for (const [n, event] of events.entries())
      await failCallback(
        api.db,
        { id: callbackId, leaseEpoch: 0 },
        {
          result: '503',
          latencyMs: 12,
          delayMs: 60_000,
          isGone: false,
          giveUpAfterMs: 60_000,
          call: { events: 1, after: events[n - 1] ?? CALLBACKS_START, end: event },
        },
      );
    return { callbackId, owner, events };
  }

  interface Calls {
    readonly calls: readonly { readonly callId: number }[];
    readonly next: string | null;
  }

  async function calls(callbackId: number, more = '') {
    const { body } = await api.get(`/admin/app/callback/calls?callbackId=${callbackId}${more}`);
    return body.responseObject as unknown as Calls;
  }

  const resend = (callbackId: number, callId: number) =>
    api.post('/admin/app/callback/resend', { callbackId, callId });

  test('are listed in pages, the latest first', async () => {
    const { callbackId, events } = await makeCalls(3);

    const first = await calls(callbackId, '&size=2');
    const second = await calls(callbackId, `&size=2&after=${first.next}`);

    const [latest] = events.slice(-1);
    expect(first.calls[0]).toEqual({
      callId: expect.any(Number),
      timestamp: expect.any(String),
      state: 'refused',
      result: '503',
      latencyMs: 12,
      events: 1,
      resendOf: null,
      after: toCallbackCursor(events[1] ?? CALLBACKS_START),
    });
    expect(latest).toBeDefined();
    expect([first.calls.length, second.calls.length, second.next]).toEqual([2, 1, null]);
    const ids = [...first.calls, ...second.calls].map(({ callId }) => callId);
    expect(ids).toEqual(ids.toSorted((a, b) => b - a));
  });

  test('wait to be made again, once for whoever asks', async () => {
    const { callbackId } = await makeCalls(1);
    const [call] = (await calls(callbackId)).calls;
    const callId = call?.callId ?? 0;

    const asked = [await resend(callbackId, callId), await resend(callbackId, callId)];
    const waiting = asked[0]?.body.responseObject as unknown as { readonly callId: number };
    const again = await resend(callbackId, waiting.callId);

    expect(asked[1]?.body).toEqual(asked[0]?.body);
    expect(again.body).toEqual(asked[0]?.body);
    expect((await calls(callbackId)).calls).toMatchObject([
      { callId: waiting.callId, state: 'waiting', result: null, resendOf: callId },
      { callId, state: 'refused' },
    ]);
    const endpoint = await findCallbackEndpoint(api.db, callbackId);
    expect(endpoint?.nextAttemptAt.getTime()).toBeLessThanOrEqual(Date.now());
  });

  test('wait ten at a time', async () => {
    const { callbackId } = await makeCalls(11);
    const made = (await calls(callbackId)).calls;

    const answers = [];
    for (const { callId } of made) answers.push(await resend(callbackId, callId));

    expect(answers.map(({ status }) => status)).toEqual([...Array<number>(10).fill(200), 409]);
  });

  test('are not made again where there is no such call, its events are gone, or the callback is suspended', async () => {
    const { callbackId, owner } = await makeCalls(2);
    const other = await makeCalls(1);
    const [latest, first] = (await calls(callbackId)).calls.map(({ callId }) => callId);
    const [ofOther] = (await calls(other.callbackId)).calls.map(({ callId }) => callId);

    const missing = [
      await resend(callbackId, 999_999_999),
      await resend(callbackId, ofOther ?? 0),
      await resend(999_999, latest ?? 0),
    ];
    await api.db.deleteFrom('callbackEvents').where('appRef', '=', owner.appRef).execute();
    const gone = await resend(callbackId, first ?? 0);
    await api.db
      .updateTable('callbackEndpoints')
      .set({ suspendedAt: new Date(), suspendedBecause: 'gone' })
      .where('id', '=', callbackId)
      .execute();
    const suspended = await resend(callbackId, latest ?? 0);

    expect(missing.map(({ status }) => status)).toEqual([404, 404, 400]);
    expect(
      [gone, suspended].map(({ status, body }) => [status, body.responseObject.message]),
    ).toEqual([
      [409, 'What this call told is not kept any more.'],
      [409, 'The callback is suspended: resume it first.'],
    ]);
    expect((await calls(callbackId)).calls).toHaveLength(2);
  });
});

describe('POST /admin/app/callback/test', () => {
  test('has a ping told', async () => {
    const { appId, owner } = await createApp();
    const { id: callbackId } = await create({ appId, url: URL_OF_RECEIVER });

    await ok(api.post('/admin/app/callback/test', { callbackId }));
    const unknown = await api.post('/admin/app/callback/test', { callbackId: 999_999 });

    expect(await listCallbackEvents(api.db, owner, CALLBACKS_START, 10)).toMatchObject([
      { type: 'ping', data: { callbackId } },
    ]);
    expect(unknown.status).toBe(400);
  });
});

describe('GET /push/callback/events', () => {
  const read = async (query: string) => {
    const answer = await ok(api.get(`/push/callback/events?${query}`));
    return answer as { events: { id: string; data: object }[]; cursor: string | null };
  };

  test('answers page after page, and then the cursor that it was asked with', async () => {
    const { appId, owner } = await createApp();
    for (let n = 0; n < 5; n += 1) await insertPing(api.db, owner, n);

    const first = await read(`appId=${appId}&limit=3`);
    const second = await read(`appId=${appId}&after=${first.cursor}`);
    const third = await read(`appId=${appId}&after=${second.cursor}`);

    expect([...first.events, ...second.events].map(({ data }) => data)).toEqual(
      [0, 1, 2, 3, 4].map((callbackId) => ({ callbackId })),
    );
    expect(first.events[0]).toEqual({
      id: expect.any(String),
      type: 'ping',
      at: expect.stringMatching(/Z$/),
      data: { callbackId: 0 },
    });
    expect(third).toEqual({ events: [], cursor: second.cursor });
  });

  test('begins anew behind a cursor of a database that was restored from a dump since', async () => {
    const { appId, owner } = await createApp();
    await insertPing(api.db, owner, 1);
    const ahead = toCallbackCursor({ ...CALLBACKS_START, xid: '1000000000' });

    const { id } = await create({ appId, url: URL_OF_RECEIVER });
    const { events, cursor } = await read(`appId=${appId}&after=${ahead}`);
    await ok(api.post('/admin/app/callback/resume', { callbackId: id, after: ahead }));

    expect(events.map(({ data }) => data)).toEqual([{ callbackId: 1 }]);
    expect((await read(`appId=${appId}&after=${cursor}`)).events).toEqual([]);
    expect(await list(appId)).toMatchObject([{ cursor: START }]);
  });

  test('answers null where nothing has come yet, and a developer key’s own', async () => {
    const { appId, appRef } = await createApp();
    const developerKey = await createDeveloperKey(appRef);
    const { id } = await create({ developerKey, url: URL_OF_RECEIVER });
    await ok(api.post('/admin/app/callback/test', { callbackId: id }));

    expect(await read(`appId=${appId}`)).toEqual({ events: [], cursor: null });
    expect((await read(`developerKey=${developerKey}`)).events).toHaveLength(1);
  });

  test.each(['', 'appId=999999', 'developerKey=unknown', 'appId=1&after=x', 'appId=1&limit=1001'])(
    'refuses %j',
    async (query) => {
      await createApp();

      expect((await api.get(`/push/callback/events?${query}`)).status).toBe(400);
    },
  );
});

describe('POST /api/1.0/push/{username}@{carrier}', () => {
  test('is told of to the developer key that signed it, and to the application', async () => {
    const key = await makeDeveloperKey(api);
    const appId = await findAppId(api.db, key.appRef);
    await create({ appId, url: URL_OF_RECEIVER });
    await create({ developerKey: key.developerKey, url: URL_OF_RECEIVER });
    const userId = await makeReceiver(api, key);
    const dead = { tokenDeactivatedAt: new Date(), tokenDeactivatedReason: 'Unregistered' };
    await api.db.updateTable('devices').set(dead).where('userId', '=', userId).execute();

    const { body } = await pushTo(api, key, userId, {
      body: { appMessage: { content: 'Hello' }, push: { content: 'Knock' } },
    });

    for (const owner of [`appId=${appId}`, `developerKey=${key.developerKey}`])
      expect(await ok(api.get(`/push/callback/events?${owner}`))).toMatchObject({
        events: [
          {
            type: 'delivery.skipped',
            data: { messageId: body.requestId, userId, reason: 'token_deactivated' },
          },
        ],
      });
  });
});

describe('POST /push/message/send', () => {
  test('tells of what is final from the start, where the app has a callback', async () => {
    const [heard, silent] = [await createApp(), await createApp()];
    await create({ appId: heard.appId, url: URL_OF_RECEIVER });
    const key = Buffer.from('a key').toString('base64');
    const send = async ({ appId, appRef }: { appId: number; appRef: number }) => {
      const apns = { appId, bundle: 'b', keyId: 'k', teamId: 't', privateKeyBase64: key };
      await api.post('/admin/app/ios/update', apns);
      const { userId } = await makeDevice(api.db, appRef);
      const message = { userId, body: { title: 'Hi', validUntil: 1 }, attributes: {} };
      return ok(api.post('/push/message/send', { appId, message, mode: 'ASYNCHRONOUS' }));
    };

    await send(silent);
    // Who listens is known to an api within seconds.
    await eventually(async () => {
      await send(heard);
      const events = await listCallbackEvents(api.db, heard.owner, CALLBACKS_START, 1000);
      expect(events[0]).toMatchObject({ type: 'delivery.expired' });
    });

    expect(await listCallbackEvents(api.db, silent.owner, CALLBACKS_START, 1000)).toEqual([]);
  });

  test('keeps what a callback has to be told apart from other apps', async () => {
    const [one, other] = [await createApp(), await createApp()];
    await insertPing(api.db, one.owner, 1);

    expect(await listCallbackEvents(api.db, other.owner, CALLBACKS_START, 10)).toEqual([]);
    expect(await findCallbackEndpoint(api.db, 999_999)).toBeUndefined();
  });
});
