import { randomUUID } from 'node:crypto';

import { eventually } from '@heliograph/testing';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';
import { makeReceiver, pushTo, type TestKey } from '../../../test/signed-request.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const OK = { status: 200, body: { status: 'OK' } };
const CARRIERS = ['acme.com', 'other'];

async function createApp() {
  const appId = randomUUID();
  const answer = await api.post('/admin/app/create', { appId });
  return { appId, appRef: answer.body.responseObject.id };
}

async function createKey(): Promise<TestKey> {
  const app = await createApp();
  const { developerKey, secret } = await create({ appId: app.appId });
  return { ...app, developerKey, secret };
}

async function create(fields: object): Promise<{ developerKey: string; secret: string }> {
  const request = { name: 'Billing', carriers: CARRIERS, ...fields };
  return read(await api.post('/admin/app/developer-key/create', request));
}

interface KeyAnswer {
  readonly developerKey: string;
  readonly secret: string;
  readonly oldSecretValidUntil: string | null;
  readonly developerKeyList: readonly Record<string, unknown>[];
}

function read(answer: { readonly body: unknown }): KeyAnswer {
  return (answer.body as { responseObject: KeyAnswer }).responseObject;
}

async function list(appId: string): Promise<readonly Record<string, unknown>[]> {
  const answer = await api.get(`/admin/app/developer-key/list?appId=${appId}`);
  return read(answer).developerKeyList;
}

function rotate(developerKey: string, validForSeconds?: number) {
  return api.post('/admin/app/developer-key/rotate', { developerKey, validForSeconds });
}

describe('POST /admin/app/developer-key/create', () => {
  test('answers a key and its secret, and keeps the secret sealed', async () => {
    const { appId, appRef } = await createApp();

    const created = await create({ appId });

    expect(created).toEqual({
      developerKey: expect.stringMatching(/^[\w-]{20}$/),
      secret: expect.stringMatching(/^[\w-]{43}$/),
      createdAt: expect.any(String),
    });
    const [row] = await api.db
      .selectFrom('developerSecrets as s')
      .innerJoin('developerKeys as k', 'k.id', 's.developerKeyRef')
      .select(['s.id', 'sealedSecret'])
      .where('appRef', '=', appRef)
      .execute();
    const place = { table: 'developer_secrets', column: 'sealed_secret', row: row?.id ?? '' };
    const sealed = row?.sealedSecret ?? Buffer.alloc(0);
    expect(sealed.includes(created.secret)).toBe(false);
    expect(api.secrets.open(sealed, place).toString()).toBe(created.secret);
  });

  test('makes keys that sign at once, several for an app', async () => {
    const key = await createKey();
    const second = await create({ id: key.appRef });
    const userId = await makeReceiver(api, key);

    const answers = [
      await pushTo(api, key, userId),
      await pushTo(api, { ...key, ...second }, userId),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  test.each([
    ['no app', { appId: null }],
    ['an unknown app', { appId: 'unknown' }],
    ['no name', { name: ' ' }],
    ['no carriers', { carriers: [] }],
    ['carriers that are no list', { carriers: 'acme.com' }],
    ['a carrier twice', { carriers: ['a', 'a'] }],
    ['a carrier with an @', { carriers: ['a@b'] }],
    ['an empty carrier', { carriers: [''] }],
  ])('refuses %s', async (_name, fields) => {
    const { appId } = await createApp();
    const request = { appId, name: 'n', carriers: CARRIERS, ...fields };

    const answer = await api.post('/admin/app/developer-key/create', request);

    expect(answer).toMatchObject({ status: 400, body: { status: 'ERROR' } });
    expect(await list(appId)).toEqual([]);
  });
});

describe('GET /admin/app/developer-key/list', () => {
  test("shows an app's keys in order, and no secret", async () => {
    const { appId } = await createApp();
    const first = await create({ appId, name: 'first' });
    const second = await create({ appId, name: 'second', carriers: ['x'] });
    await api.post('/admin/app/developer-key/disable', { developerKey: second.developerKey });

    const { text } = await api.get(`/admin/app/developer-key/list?appId=${appId}`);

    expect(await list(appId)).toEqual([
      {
        developerKey: first.developerKey,
        name: 'first',
        carriers: CARRIERS,
        enabled: true,
        disabledAt: null,
        createdAt: expect.any(String),
        oldSecretValidUntil: null,
      },
      {
        developerKey: second.developerKey,
        name: 'second',
        carriers: ['x'],
        enabled: false,
        disabledAt: expect.any(String),
        createdAt: expect.any(String),
        oldSecretValidUntil: null,
      },
    ]);
    for (const { secret } of [first, second]) expect(text).not.toContain(secret);
  });

  test('refuses an unknown app', async () => {
    const answer = await api.get('/admin/app/developer-key/list?appId=unknown');

    expect(answer.status).toBe(400);
  });
});

describe('POST /admin/app/developer-key/disable and enable', () => {
  test('end and begin what the key may do, within a second or two', async () => {
    const key = await createKey();
    const userId = await makeReceiver(api, key);
    const { developerKey } = key;

    const statuses = [(await pushTo(api, key, userId)).status];
    for (const [verb, expected] of [
      ['disable', 401],
      ['enable', 200],
    ] as const) {
      expect(await api.post(`/admin/app/developer-key/${verb}`, { developerKey })).toMatchObject(
        OK,
      );
      const status = await eventually(async () => {
        const answer = await pushTo(api, key, userId);
        expect(answer.status).toBe(expected);
        return answer.status;
      });
      statuses.push(status);
    }

    expect(statuses).toEqual([200, 401, 200]);
  });

  test('refuse an unknown key', async () => {
    const answers = await Promise.all(
      ['disable', 'enable', 'rotate'].map((verb) =>
        api.post(`/admin/app/developer-key/${verb}`, { developerKey: 'unknown' }),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
  });
});

describe('POST /admin/app/developer-key/rotate', () => {
  test('has both secrets sign for a while, and the new one only once that is over', async () => {
    const key = await createKey();
    const userId = await makeReceiver(api, key);

    const { secret, oldSecretValidUntil } = read(await rotate(key.developerKey));
    const during = [await pushTo(api, key, userId), await pushTo(api, { ...key, secret }, userId)];
    await api.db
      .updateTable('developerSecrets')
      .set({ validUntil: new Date() })
      .where('validUntil', 'is not', null)
      .execute();
    await eventually(async () => expect((await pushTo(api, key, userId)).status).toBe(401));
    const after = await pushTo(api, { ...key, secret }, userId);

    const validForMs = Date.parse(oldSecretValidUntil ?? '') - Date.now();
    expect(validForMs).toBeGreaterThan(23 * 3_600_000);
    expect(validForMs).toBeLessThanOrEqual(24 * 3_600_000);
    expect(during.map(({ status }) => status)).toEqual([200, 200]);
    expect(after.status).toBe(200);
  });

  test('refuses a third secret while two are valid, and says until when', async () => {
    const key = await createKey();
    const { oldSecretValidUntil } = read(await rotate(key.developerKey, 600));

    const answer = await rotate(key.developerKey, 600);

    expect(answer).toMatchObject({
      status: 409,
      body: { status: 'ERROR', responseObject: { code: 'ERROR_DATA_INTEGRITY' } },
    });
    const until = new Date(oldSecretValidUntil ?? '').toISOString();
    expect(answer.body.responseObject.message).toContain(until);
    expect(await list(key.appId)).toMatchObject([{ oldSecretValidUntil }]);
  });

  test('ends every other secret with 0 seconds, also while two are valid', async () => {
    const key = await createKey();
    const userId = await makeReceiver(api, key);
    const second = read(await rotate(key.developerKey, 600));

    const third = read(await rotate(key.developerKey, 0));

    await eventually(async () => expect((await pushTo(api, key, userId)).status).toBe(401));
    const answers = [
      await pushTo(api, { ...key, ...second }, userId),
      await pushTo(api, { ...key, ...third }, userId),
    ];
    expect(third.oldSecretValidUntil).toBeNull();
    expect(answers.map(({ status }) => status)).toEqual([401, 200]);
    expect(await list(key.appId)).toMatchObject([{ oldSecretValidUntil: null }]);
  });

  test.each([-1, 91 * 24 * 3600, 'long'])(
    'refuses to keep the old one for %j s',
    async (seconds) => {
      const { developerKey } = await createKey();

      const answer = await api.post('/admin/app/developer-key/rotate', {
        developerKey,
        validForSeconds: seconds,
      });

      expect(answer.status).toBe(400);
    },
  );
});
