import { randomUUID } from 'node:crypto';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
let nextApp = 1;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const OK = { status: 'OK' };

async function createApp(): Promise<number> {
  const appId = nextApp++;
  await api.post('/admin/app/create', { appId });
  return appId;
}

function createDevice(device: Record<string, unknown>) {
  return api.post('/push/device/create', { platform: 'ios', ...device });
}

function createMulti(device: Record<string, unknown>) {
  return api.post('/push/device/create/multi', { platform: 'ios', ...device });
}

async function devicesOf(appId: number) {
  return api.db
    .selectFrom('devices')
    .innerJoin('apps', 'apps.id', 'devices.appRef')
    .select([
      'devices.id',
      'activationId',
      'pushToken',
      'userId',
      'provider',
      'environment',
      'activationActive',
    ])
    .where('apps.appId', '=', String(appId))
    .orderBy('devices.id')
    .execute();
}

async function idsOf(appId: number): Promise<number[]> {
  return (await devicesOf(appId)).map((device) => device.id);
}

function refusal(message: unknown = expect.any(String)) {
  return { status: 'ERROR', responseObject: { code: 'ERROR_GENERIC', message } };
}

describe('POST /push/device/create', () => {
  test('keeps one row per activation, with the token registered last', async () => {
    const [appId, activationId] = [await createApp(), randomUUID()];

    await createDevice({ appId, activationId, token: 'old' });
    const [before] = await idsOf(appId);
    const answer = await createDevice({ appId, activationId, token: 'new' });

    expect(answer).toMatchObject({ status: 200, body: OK });
    expect(await devicesOf(appId)).toMatchObject([{ id: before, activationId, pushToken: 'new' }]);
  });

  test('moves a known token with its row to a new activation', async () => {
    const appId = await createApp();
    const [first, second] = [randomUUID(), randomUUID()];

    await createDevice({ appId, activationId: first, token: 't', userId: 'u1' });
    const before = await idsOf(appId);
    await createDevice({ appId, activationId: second, token: 't', userId: 'u2' });

    expect(await idsOf(appId)).toEqual(before);
    expect(await devicesOf(appId)).toMatchObject([{ activationId: second, userId: 'u2' }]);
  });

  test('lets an activation take over a token and leaves the other row; a third one is then refused', async () => {
    const appId = await createApp();
    const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
    await createDevice({ appId, activationId: a, token: 'ta' });
    await createDevice({ appId, activationId: b, token: 'tb' });
    const before = await idsOf(appId);

    await createDevice({ appId, activationId: a, token: 'tb' });
    const third = await createDevice({ appId, activationId: c, token: 'tb' });

    expect(third).toMatchObject({ status: 400, body: refusal(expect.stringContaining('share')) });
    expect(await idsOf(appId)).toEqual(before);
    expect((await devicesOf(appId)).map((device) => device.pushToken)).toEqual(['tb', 'tb']);
    expect(await activation(c)).toBeUndefined();
  });

  test('updates application and platform of a row, and looks for the token in its own application only', async () => {
    const [appId, other, activationId] = [await createApp(), await createApp(), randomUUID()];
    await createDevice({ appId, activationId, token: 't' });
    const [id] = await idsOf(appId);

    await createDevice({ appId: other, activationId, token: 't', platform: 'Android' });
    await createDevice({ appId, activationId: randomUUID(), token: 't' });

    expect(await devicesOf(other)).toMatchObject([{ id, provider: 'fcm' }]);
    expect(await idsOf(appId)).toEqual([expect.any(Number)]);
    expect(await idsOf(appId)).not.toEqual([id]);
  });

  test('all of many identical registrations at once succeed, with one row', async () => {
    const [appId, activationId] = [await createApp(), randomUUID()];

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => createDevice({ appId, activationId, token: 'same' })),
    );

    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    expect(await idsOf(appId)).toHaveLength(1);
  });

  test('parallel registrations of one token for many activations leave one row or are refused', async () => {
    const appId = await createApp();

    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        createDevice({ appId, activationId: randomUUID(), token: 'shared' }),
      ),
    );

    expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(200));
    expect(await idsOf(appId)).toHaveLength(1);
  });

  test('clears what was noted against the token', async () => {
    const [appId, activationId] = [await createApp(), randomUUID()];
    await createDevice({ appId, activationId, token: 't' });
    const past = new Date(Date.now() - 3_600_000);
    await api.db
      .updateTable('devices')
      .set({
        tokenDeactivatedAt: past,
        tokenDeactivatedReason: 'Unregistered',
        lastRegisteredAt: past,
      })
      .where('activationId', '=', activationId)
      .execute();

    await createDevice({ appId, activationId, token: 't' });

    const row = await api.db
      .selectFrom('devices')
      .select(['tokenDeactivatedAt', 'tokenDeactivatedReason', 'lastRegisteredAt'])
      .where('activationId', '=', activationId)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ tokenDeactivatedAt: null, tokenDeactivatedReason: null });
    expect(row.lastRegisteredAt.getTime()).toBeGreaterThan(past.getTime());
  });

  test('an activation keeps its user when a later registration names none', async () => {
    const [appId, activationId] = [await createApp(), randomUUID()];

    await createDevice({ appId, activationId, token: 't', userId: 123 });
    await createDevice({ appId, activationId, token: 't2', userId: null });

    expect(await devicesOf(appId)).toMatchObject([{ userId: '123', activationActive: true }]);
  });

  test.each([
    ['ACTIVE', 200, true],
    ['CREATED', 200, false],
    ['PENDING_COMMIT', 200, false],
    ['BLOCKED', 200, false],
    ['REMOVED', 400, undefined],
  ])('registers an activation that is %s with %i', async (activationStatus, status, active) => {
    const [appId, activationId] = [await createApp(), randomUUID()];
    await api.call('POST', '/push/device/status/update', { activationId, activationStatus });

    const answer = await createDevice({ appId, activationId, token: 't' });

    expect(answer.status).toBe(status);
    const registered = (await devicesOf(appId)).map((device) => device.activationActive);
    expect(registered).toEqual(active === undefined ? [] : [active]);
  });

  test.each([
    ['ios', 'apns'],
    ['iOS', 'apns'],
    ['APNS', 'apns'],
    ['android', 'fcm'],
    ['Fcm', 'fcm'],
  ])('knows the platform %s', async (platform, provider) => {
    const appId = await createApp();

    await createDevice({ appId, activationId: randomUUID(), token: 't', platform });

    expect(await devicesOf(appId)).toMatchObject([{ provider }]);
  });

  test('keeps the environment of an APNs token, in any case, and forgets it when none is named', async () => {
    const [appId, activationId] = [await createApp(), randomUUID()];

    await createDevice({ appId, activationId, token: 't', environment: 'Development' });
    const named = await devicesOf(appId);
    await createDevice({ appId, activationId, token: 't', environment: null });

    expect(named).toMatchObject([{ environment: 'development' }]);
    expect(await devicesOf(appId)).toMatchObject([{ environment: null }]);
  });

  test('takes numbers as strings and strings as numbers', async () => {
    const appId = await createApp();

    const answer = await createDevice({ appId: String(appId), activationId: 17, token: 42 });

    expect(answer.body).toEqual(OK);
    expect(await devicesOf(appId)).toMatchObject([{ activationId: '17', pushToken: '42' }]);
  });

  test('stores a push token of 4096 bytes, and refuses a longer one', async () => {
    const appId = await createApp();
    const create = (token: string) => createDevice({ appId, activationId: randomUUID(), token });

    const [longest, tooLong, tooManyBytes] = [
      await create('a'.repeat(4096)),
      await create('a'.repeat(4097)),
      await create('é'.repeat(2049)),
    ];

    expect([longest.status, tooLong.status, tooManyBytes.status]).toEqual([200, 400, 400]);
    expect(await idsOf(appId)).toHaveLength(1);
  });

  test.each([
    ['no application', { appId: undefined }],
    ['application 0', { appId: 0 }],
    ['a negative application', { appId: -1 }],
    ['an unknown application', { appId: 999_999 }],
    ['an application that is an object', { appId: {} }],
    ['no activation', { activationId: null }],
    ['an empty activation', { activationId: '' }],
    ['an activation that is too long', { activationId: 'a'.repeat(256) }],
    ['a NUL character', { activationId: 'a\0b' }],
    ['a lone surrogate', { userId: 'a\ud800b' }],
    ['no platform', { platform: undefined }],
    ['an unknown platform', { platform: 'windows' }],
    ['huawei', { platform: 'huawei' }],
    ['hms', { platform: 'HMS' }],
    ['no token', { token: undefined }],
    ['an empty token', { token: '' }],
    ['a token that is a list', { token: ['a'] }],
    ['an unknown environment', { environment: 'staging' }],
    ['a user that is too long', { userId: 'u'.repeat(256) }],
  ])('refuses %s', async (_what, wrong) => {
    const appId = await createApp();

    const answer = await createDevice({ appId, activationId: randomUUID(), token: 't', ...wrong });

    expect(answer).toMatchObject({ status: 400, body: refusal() });
    expect(await idsOf(appId)).toEqual([]);
  });

  test.each([
    undefined,
    {},
    { requestObject: null },
    { requestObject: [] },
    { requestObject: 'x' },
  ])('refuses the body %j', async (body) => {
    const answer = await api.call('POST', '/push/device/create', body);

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });
});

function activation(activationId: string) {
  return api.db
    .selectFrom('activations')
    .select(['status', 'userId'])
    .where('activationId', '=', activationId)
    .executeTakeFirst();
}

/** An application with one device for two activations, and two activations more. */
async function withTwo() {
  const appId = await createApp();
  const [a1, a2, a3, a4] = Array.from({ length: 4 }, () => randomUUID());
  const answer = await createMulti({ appId, token: 't', activationIds: [a1, a2] });
  expect(answer).toMatchObject({ status: 200, body: OK });
  return { appId, a1, a2, a3, a4, before: await idsOf(appId) };
}

describe('POST /push/device/create/multi', () => {
  test('keeps the rows of the same activations, with the same token and with a new one', async () => {
    const { appId, a1, a2, before } = await withTwo();

    await createMulti({ appId, token: 't', activationIds: [a1, a2] });
    const same = await idsOf(appId);
    await createMulti({ appId, token: 'new', activationIds: [a2, a1] });

    expect(before).toHaveLength(2);
    expect(same).toEqual(before);
    expect(await idsOf(appId)).toEqual(before);
  });

  test('replaces both rows when both activations are new', async () => {
    const { appId, a3, a4, before } = await withTwo();

    await createMulti({ appId, token: 't', activationIds: [a3, a4] });

    const devices = await devicesOf(appId);
    expect(devices.map((device) => device.activationId).toSorted()).toEqual([a3, a4].toSorted());
    expect(devices.some((device) => before.includes(device.id))).toBe(false);
  });

  test('keeps the row of the activation that stays, and deletes the row of the other', async () => {
    const { appId, a1, a2, a4 } = await withTwo();
    const rowOf = async (id?: string) =>
      (await devicesOf(appId)).find((device) => device.activationId === id)?.id;
    const [first, second] = [await rowOf(a1), await rowOf(a2)];

    await createMulti({ appId, token: 't', activationIds: [a1, a4] });

    expect(await rowOf(a1)).toBe(first);
    expect(await idsOf(appId)).toHaveLength(2);
    expect(await idsOf(appId)).not.toContain(second);
  });

  test('takes one known token for the first activation and makes a row for the second', async () => {
    const appId = await createApp();
    await createDevice({ appId, activationId: randomUUID(), token: 't' });
    const [only] = await idsOf(appId);

    await createMulti({ appId, token: 't', activationIds: [randomUUID(), randomUUID()] });

    expect(await idsOf(appId)).toEqual([only, expect.any(Number)]);
  });

  test('counts an activation that is named twice once', async () => {
    const [appId, activationId] = [await createApp(), randomUUID()];

    const answer = await createMulti({
      appId,
      token: 't',
      activationIds: [activationId, activationId],
    });

    expect(answer.body).toEqual(OK);
    expect(await idsOf(appId)).toHaveLength(1);
  });

  test('registers the others when one was removed, and is then refused', async () => {
    const appId = await createApp();
    const [good, removed] = [randomUUID(), randomUUID()];
    await api.call('POST', '/push/device/status/update', {
      activationId: removed,
      activationStatus: 'REMOVED',
    });

    const answer = await createMulti({ appId, token: 't', activationIds: [removed, good] });

    expect(answer).toMatchObject({ status: 400, body: refusal() });
    expect(await devicesOf(appId)).toMatchObject([{ activationId: good }]);
  });

  test('many at once, with crossing activations, all succeed', async () => {
    const appId = await createApp();
    const ids = Array.from({ length: 4 }, () => randomUUID());

    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        createMulti({
          appId,
          token: `t${n % 3}`,
          activationIds: n % 2 === 0 ? ids : ids.toReversed(),
        }),
      ),
    );

    expect(answers.map((answer) => answer.status)).toEqual(Array(12).fill(200));
    const devices = await devicesOf(appId);
    expect(devices).toHaveLength(4);
    expect(new Set(devices.map((device) => device.pushToken)).size).toBe(1);
  });

  test('gets along with changes of status and deletions at the same time', async () => {
    const appId = await createApp();
    const activationIds = Array.from({ length: 4 }, () => randomUUID());

    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => [
        createMulti({ appId, token: `t${n % 2}`, activationIds }),
        createDevice({ appId, token: `t${n % 2}`, activationId: activationIds[n % 4] }),
        api.call('PUT', '/push/device/status/update', {
          activationId: activationIds[n % 4],
          activationStatus: 'BLOCKED',
        }),
        api.post('/push/device/delete', { appId, token: `t${n % 2}` }),
      ]).flat(),
    );

    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
    expect(await activation(activationIds[0] ?? '')).toMatchObject({ status: 'BLOCKED' });
  });

  test.each([
    ['an environment for ios', { environment: 'production' }, 400],
    ['an environment for fcm', { platform: 'fcm', environment: 'production' }, 400],
    ['an environment for apns', { platform: 'apns', environment: 'production' }, 200],
    ['no activations', { activationIds: [] }, 400],
    ['null activations', { activationIds: null }, 400],
    ['a null among the activations', { activationIds: [null] }, 400],
    [
      'too many activations',
      { activationIds: Array.from({ length: 201 }, (_, n) => `x${n}`) },
      400,
    ],
    ['an unknown application', { appId: 999_999 }, 400],
  ])('answers %s with its status', async (_what, change, status) => {
    const appId = await createApp();

    const answer = await createMulti({
      appId,
      token: 't',
      activationIds: [randomUUID()],
      ...change,
    });

    expect(answer.status).toBe(status);
    expect(await idsOf(appId)).toHaveLength(status === 200 ? 1 : 0);
  });

  test('is refused where it is switched off', async () => {
    const single = await openTestApi({ multipleActivations: false });
    try {
      await single.post('/admin/app/create', { appId: 1 });

      const answer = await single.post('/push/device/create/multi', {
        appId: 1,
        token: 't',
        platform: 'ios',
        activationIds: ['a'],
      });

      expect(answer).toMatchObject({ status: 400, body: refusal() });
    } finally {
      await single.close();
    }
  });
});

describe.each([
  ['POST', '/push/device/delete'],
  ['DELETE', '/push/device/delete'],
  ['POST', '/push/device/remove'],
  ['DELETE', '/push/device/remove'],
])('%s %s', (method, path) => {
  test('deletes all rows of the application with the token, and no others', async () => {
    const [appId, other] = [await createApp(), await createApp()];
    const activationIds = [randomUUID(), randomUUID()];
    await createMulti({ appId, token: 't', activationIds });
    await createDevice({ appId, activationId: randomUUID(), token: 'kept' });
    await createDevice({ appId: other, activationId: randomUUID(), token: 't' });

    const answer = await api.call(method, path, { requestObject: { appId, token: 't' } });

    expect(answer).toMatchObject({ status: 200, body: OK });
    expect((await devicesOf(appId)).map((device) => device.pushToken)).toEqual(['kept']);
    expect(await idsOf(other)).toHaveLength(1);
  });

  test('is content where there is no such token, nor such an application', async () => {
    const requestObject = { appId: 999_999, token: 'unknown' };

    const answer = await api.call(method, path, { requestObject });

    expect(answer).toMatchObject({ status: 200, body: OK });
  });

  test.each([{}, { appId: 1 }, { appId: 1, token: '' }, { appId: 0, token: 't' }])(
    'refuses %j',
    async (requestObject) => {
      const answer = await api.call(method, path, { requestObject });

      expect(answer).toMatchObject({ status: 400, body: refusal() });
    },
  );
});

describe.each(['POST', 'PUT'])('%s /push/device/status/update', (method) => {
  const update = (body: unknown) => api.call(method, '/push/device/status/update', body);

  test('decides whether personal messages reach the device, and keeps the row', async () => {
    const [appId, activationId] = [await createApp(), randomUUID()];
    await createDevice({ appId, activationId, token: 't' });

    const seen = [];
    for (const activationStatus of ['BLOCKED', 'ACTIVE', 'REMOVED']) {
      expect(await update({ activationId, activationStatus })).toMatchObject({
        status: 200,
        body: OK,
      });
      seen.push((await devicesOf(appId))[0]?.activationActive);
    }

    expect(seen).toEqual([false, true, false]);
  });

  test('takes the wrapped form too, and fields of callbacks that it does not know', async () => {
    const [appId, activationId] = [await createApp(), randomUUID()];
    await createDevice({ appId, activationId, token: 't' });

    await update({ requestObject: { activationId, activationStatus: 'BLOCKED' } });
    const wrapped = await devicesOf(appId);
    await update({ activationId, activationStatus: 'ACTIVE', userId: 'x', activationFlags: ['F'] });

    expect(wrapped).toMatchObject([{ activationActive: false }]);
    expect(await devicesOf(appId)).toMatchObject([{ activationActive: true }]);
  });

  test.each([undefined, null])('changes nothing with the status %s', async (activationStatus) => {
    const [appId, activationId] = [await createApp(), randomUUID()];
    await createDevice({ appId, activationId, token: 't' });
    await update({ activationId, activationStatus: 'BLOCKED' });

    const answer = await update({ activationId, activationStatus });

    expect(answer).toMatchObject({ status: 200, body: OK });
    expect(await devicesOf(appId)).toMatchObject([{ activationActive: false }]);
  });

  test('is content where the activation has no device', async () => {
    const answer = await update({ activationId: randomUUID(), activationStatus: 'ACTIVE' });

    expect(answer).toMatchObject({ status: 200, body: OK });
  });

  test.each([
    {},
    { activationId: null },
    { activationId: 'a', activationStatus: 'active' },
    [],
    'x',
  ])('refuses %j', async (body) => {
    const answer = await update(body);

    expect(answer).toMatchObject({ status: 400, body: refusal() });
  });
});
