import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';

import { revokeApiKey } from '@heliograph/db';
import { eventually } from '@heliograph/testing';
import { sql } from 'kysely';

import { makeKey, makeWorld, type Names } from '../../test/access/world.ts';
import { openEvents } from '../../test/open-events.ts';
import { openTestApi, type Answer, type TestApi } from '../../test/open-test-api.ts';

let api: TestApi;
let own: Names;
let other: Names;
let boundKey: string;
let now = new Date();

const BASES = ['/', '/powerauth-push-server'];

beforeAll(async () => {
  api = await openTestApi({ auth: 'on', basePaths: BASES, now: () => now });
  own = await makeWorld(api.db, randomUUID());
  other = await makeWorld(api.db, randomUUID());
  boundKey = (await makeKey(api.db, { appRef: own.rowId })).text;
});
afterAll(() => api.close());
afterEach(() => {
  now = new Date();
});

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function listApps(authorization?: string): Promise<Answer> {
  return api.call(
    'GET',
    '/admin/app/list',
    undefined,
    authorization === undefined ? {} : { authorization },
  );
}

function ask(method: string, path: string, body?: unknown, key = boundKey): Promise<Answer> {
  return api.call(method, path, body, { authorization: `Bearer ${key}` });
}

const UNAUTHENTICATED = {
  status: 401,
  body: {
    status: 'ERROR',
    responseObject: {
      code: 'ERROR_GENERIC',
      message: expect.stringContaining('API key') as string,
    },
  },
};

describe('a key', () => {
  test('is taken as Bearer, and as Basic with its id as user and its secret as password', async () => {
    const { id, text } = await makeKey(api.db);
    const secret = text.slice(`hg_${id}_`.length);

    const answers = await Promise.all([
      listApps(`Bearer ${text}`),
      listApps(`bearer ${text}`),
      listApps(basic(id, secret)),
      listApps(basic(`hg_${id}`, secret)),
      listApps(basic(id, text)),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });

  test('is asked for in both ways where there is none', async () => {
    const answer = await listApps();

    expect(answer).toMatchObject(UNAUTHENTICATED);
    expect(answer.headers.get('www-authenticate')).toBe(
      'Basic realm="heliograph", charset="UTF-8", Bearer realm="heliograph"',
    );
  });

  test('is refused alike when it is wrong in any way', async () => {
    const { id, text } = await makeKey(api.db);
    const another = await makeKey(api.db);
    const wrong = [
      'Bearer',
      'Bearer x',
      `Bearer ${text.slice(0, -1)}`,
      `Bearer ${text}a`,
      `Bearer ${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`,
      `Bearer hg_${id}_${another.text.slice(-43)}`,
      `Bearer hg_${'0'.repeat(16)}_${text.slice(-43)}`,
      `Token ${text}`,
      text,
      basic(id, ''),
      basic('', text),
      basic(another.id, text.slice(-43)),
      `Basic ${text}`,
      `Bearer ${'x'.repeat(8000)}`,
    ];

    const answers = await Promise.all(wrong.map((header) => listApps(header)));

    const [first] = answers;
    expect(first).toMatchObject(UNAUTHENTICATED);
    for (const answer of answers) expect(answer.text).toBe(first?.text);
  });

  test('is refused from the instant on at which it expires', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000);
    const { text } = await makeKey(api.db, { expiresAt });

    now = new Date(expiresAt.getTime() - 1);
    const before = await listApps(`Bearer ${text}`);
    now = expiresAt;
    const after = await listApps(`Bearer ${text}`);

    expect(before.status).toBe(200);
    expect(after).toMatchObject(UNAUTHENTICATED);
  });

  test('is refused soon after it was revoked, by every server', async () => {
    const { id, text } = await makeKey(api.db);
    const replica = await openTestApi({ auth: 'on', beside: api });
    const use = async ({ url }: TestApi) => {
      const headers = { authorization: `Bearer ${text}` };
      return (await fetch(`${url}/admin/app/list`, { headers })).status;
    };
    expect(await Promise.all([use(api), use(replica)])).toEqual([200, 200]);

    await revokeApiKey(api.db, id);

    await eventually(async () =>
      expect(await Promise.all([use(api), use(replica)])).toEqual([401, 401]),
    );
    await replica.close();
  });

  test('may not be shown twice: a proxy before us may have looked at the other one', async () => {
    const { text } = await makeKey(api.db);
    const lines = [`Authorization: Bearer ${text}`, `authorization: Bearer ${boundKey}`];

    const [once, twice] = [
      await exchange('/admin/app/list', lines.slice(0, 1)),
      await exchange('/admin/app/list', lines),
    ];

    expect(once).toMatch(/^HTTP\/1\.1 200 /);
    expect(twice).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('is noted as used', async () => {
    const replica = await openTestApi({ auth: 'on', beside: api });
    const { id, text } = await makeKey(api.db);

    await fetch(`${replica.url}/admin/app/list`, { headers: { authorization: `Bearer ${text}` } });
    await replica.close();

    const { rows } = await sql`SELECT last_used_at FROM api_keys WHERE id = ${id}`.execute(api.db);
    expect(rows).toEqual([{ lastUsedAt: expect.any(Date) }]);
  });
});

/** Sends a request as it stands here, and resolves with the answer. */
function exchange(path: string, headers: readonly string[], method = 'GET'): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (part) => (text += part.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.write(
      [`${method} ${path} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, '', ''].join(
        '\r\n',
      ),
    );
  });
}

describe('a path', () => {
  test.each([
    '/admin/app/list/',
    '/powerauth-push-server/admin/app/list',
    '/powerauth-push-server/admin/app/list/',
    '/admin/app/list?x=/push/service/status',
    '/admin/app/list#/push/service/status',
    '/admin/app/list?authorization=Bearer%20x',
  ])('is as closed when it is written as %s', async (path) => {
    const [stranger, caller] = [await exchange(path, []), await ask('GET', path)];

    expect(stranger).toMatch(/^HTTP\/1\.1 401 /);
    expect(caller.status).toBe(200);
  });

  test.each([
    '//admin/app/list',
    '/./admin/app/list',
    '/push/service/status/../../../admin/app/list',
    '/push/service/status/%2e%2e/%2e%2e/%2e%2e/admin/app/list',
    '/%61dmin/app/list',
    '/admin%2fapp%2flist',
    '/ADMIN/app/list',
    '/admin/app/list;x=1',
    '/admin/app/list%00',
    '/powerauth-push-server//admin/app/list',
  ])('opens nothing when it is written as %s', async (path) => {
    const answer = await exchange(path, []);

    expect(answer).toMatch(/^HTTP\/1\.1 (400|401|404) /);
    expect(answer).not.toContain('applicationList');
  });

  test('is as closed to HEAD, and to a method that somebody else says', async () => {
    const override = 'X-HTTP-Method-Override: GET';
    const answers = await Promise.all([
      exchange('/admin/app/list', [], 'HEAD'),
      exchange('/admin/app/detail', [override], 'POST'),
      exchange('http://x/admin/app/list', []),
    ]);

    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 (400|401) /);
  });

  test.each(['/push/service/status', '/actuator/health', '/v3/api-docs', '/swagger-ui.html'])(
    'is open to everybody where it is %s',
    async (path) => {
      const answer = await api.get(path);

      expect([200, 302]).toContain(answer.status);
    },
  );

  test('of signed requests takes no key, and wants its signature', async () => {
    const answer = await ask('POST', '/api/1.0/push/alice', {});

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('MAAIISDK10');
  });
});

describe('a key of one app', () => {
  const NO_APP = { status: 400, body: { responseObject: { code: 'ERROR_GENERIC' } } };
  const message = { userId: 'u', body: { title: 'Hello' } };

  test('sends for it, and for no other', async () => {
    const to = (appId: string) =>
      ask('POST', '/push/message/send', {
        requestObject: { appId, message, mode: 'ASYNCHRONOUS' },
      });

    expect(await to(own.appId)).toMatchObject({ status: 200 });
    expect(await to(other.appId)).toMatchObject(NO_APP);
  });

  test.each([
    [
      'two app ids in the body, the last of which counts',
      (a: string, b: string) => ({
        path: '/push/message/send',
        body: `{"requestObject":{"appId":"${a}","appId":"${b}","message":${JSON.stringify(message)}}}`,
      }),
    ],
    [
      'two requestObjects',
      (a: string, b: string) => ({
        path: '/push/message/send',
        body: `{"requestObject":{"appId":"${a}","message":${JSON.stringify(message)}},"requestObject":{"appId":"${b}","message":${JSON.stringify(message)}}}`,
      }),
    ],
    [
      'its own app in the query, the other one in the body',
      (a: string, b: string) => ({
        path: `/push/message/send?appId=${a}`,
        body: JSON.stringify({ requestObject: { appId: b, message } }),
      }),
    ],
    [
      'its own app beside the requestObject',
      (a: string, b: string) => ({
        path: '/push/message/send',
        body: JSON.stringify({ appId: a, requestObject: { appId: b, message } }),
      }),
    ],
    [
      'its own app in a header',
      (_: string, b: string) => ({
        path: '/push/message/send',
        body: JSON.stringify({ requestObject: { appId: b, message } }),
      }),
    ],
    [
      'a list of both',
      (a: string, b: string) => ({
        path: '/push/message/send',
        body: JSON.stringify({ requestObject: { appId: [a, b], message } }),
      }),
    ],
  ])('is not tricked by %s', async (_, toRequest) => {
    const { path, body } = toRequest(own.appId, other.appId);

    const answer = await api.raw(path, body, {
      'content-type': 'application/json',
      authorization: `Bearer ${boundKey}`,
      'x-app-id': own.appId,
    });

    expect(answer).toMatchObject(NO_APP);
    expect(await messagesOf(other)).toBe(1);
  });

  test.each([
    [
      'the query twice',
      () => `/admin/app/developer-key/list?appId=${own.appId}&appId=${other.appId}`,
    ],
    ['the query as an object', () => `/admin/app/developer-key/list?appId[0]=${other.appId}`],
    [
      'the query behind its own',
      () => `/admin/app/developer-key/list?appId=${own.appId},${other.appId}`,
    ],
    [
      'two callbacks of owners',
      () => `/push/callback/events?appId=${other.appId}&developerKey=${own.developerKey}`,
    ],
    [
      'its own app and another key',
      () => `/push/callback/events?appId=${own.appId}&developerKey=${other.developerKey}`,
    ],
    [
      'inboxes of both',
      () => `/inbox/messages/list?userId=u&applications=${own.appId},${other.appId}`,
    ],
    [
      'another run of its own campaign',
      () => `/push/campaign/${own.campaignId}/run?runId=${randomUUID()}`,
    ],
  ])('sees nothing by %s', async (_, toPath) => {
    const answer = await ask('GET', toPath());

    expect([400, 404]).toContain(answer.status);
    expect(answer.text).not.toContain(other.developerKey);
  });

  test('names the row of one app and the id of another in vain', async () => {
    const answers = await Promise.all([
      ask('POST', '/admin/app/detail', { requestObject: { id: own.rowId, appId: other.appId } }),
      ask('POST', '/admin/app/detail', { requestObject: { id: other.rowId, appId: own.appId } }),
      ask('POST', '/admin/app/detail', { requestObject: { id: other.rowId } }),
      ask('POST', '/admin/app/detail', { requestObject: { id: `${other.rowId}` } }),
      ask('POST', '/admin/app/detail', { requestObject: { id: other.rowId + 0.5 } }),
    ]);

    for (const answer of answers) expect(answer).toMatchObject(NO_APP);
  });

  test('takes numbers for texts and texts for numbers, as everybody does, and no other spelling', async () => {
    const admin = (await makeKey(api.db)).text;
    const created = await ask('POST', '/admin/app/create', { requestObject: { appId: 17 } }, admin);
    await ask('POST', '/admin/app/create', { requestObject: { appId: '170' } }, admin);
    const key = (await makeKey(api.db, { appRef: created.body.responseObject.id })).text;
    const look = async (appId: unknown) =>
      (await ask('POST', '/admin/app/detail', { requestObject: { appId } }, key)).status;

    expect(await Promise.all([17, '17'].map(look))).toEqual([200, 200]);
    expect(await Promise.all(['017', ' 17', '17 ', '1.7e1', '170', 170, '+17'].map(look))).toEqual(
      Array(7).fill(400),
    );
  });

  test("takes no activation's device away from another app, be it one or among several", async () => {
    const { activationId } = other;
    const device = { appId: own.appId, token: randomUUID(), platform: 'ios' };

    const one = await ask('POST', '/push/device/create', {
      requestObject: { ...device, activationId },
    });
    const several = await ask('POST', '/push/device/create/multi', {
      requestObject: { ...device, activationIds: [activationId, randomUUID()] },
    });

    expect([one.status, several.status]).toEqual([400, 400]);
    const { rows } = await sql`
      SELECT app_ref, push_token FROM devices WHERE activation_id = ${activationId}`.execute(
      api.db,
    );
    expect(rows).toEqual([{ appRef: other.rowId, pushToken: other.token }]);
  });

  test("sees a message of several apps' inboxes without the names of the others", async () => {
    const admin = (await makeKey(api.db)).text;
    const applications = [own.appId, other.appId];
    const posted = await ask(
      'POST',
      '/inbox/messages',
      {
        requestObject: {
          userId: 'shared',
          type: 'text',
          subject: 'A subject',
          summary: 'A summary',
          body: 'A whole body',
          applications,
        },
      },
      admin,
    );
    const path = `/inbox/messages/detail?id=${posted.body.responseObject.id}`;

    const [seen, whole] = [await ask('GET', path), await ask('GET', path, undefined, admin)];

    expect(seen.body.responseObject).toMatchObject({ applications: [own.appId] });
    expect(whole.body.responseObject).toMatchObject({ applications });
  });

  test.each(['/admin/user/export', '/admin/user/erase'])(
    'is let into POST %s where the request names the app, and not for every app',
    async (path) => {
      const { appId, userId } = own;

      const named = await ask('POST', path, { requestObject: { appId, userId } });
      const every = await ask('POST', path, { requestObject: { userId } });

      expect([named.status, every.status]).toEqual([200, 403]);
    },
  );

  test('makes and sees keys of this app, and ends none of another one', async () => {
    const made = await ask('POST', '/admin/key/create', {
      requestObject: { name: 'mine', scopes: ['admin'] },
    });
    const { key } = made.body.responseObject as unknown as { key: string };
    const listed = await ask('GET', '/admin/key/list', undefined, key);
    const answers = await Promise.all([
      ask('POST', '/admin/key/revoke', { requestObject: { keyId: other.keyId } }),
      ask('POST', '/admin/key/revoke', { requestObject: { keyId: (await makeKey(api.db)).id } }),
      ask('POST', '/admin/key/create', {
        requestObject: { name: 'theirs', scopes: ['read'], appId: other.appId },
      }),
    ]);

    const { keyList } = listed.body.responseObject as unknown as {
      keyList: readonly { appId: string }[];
    };
    expect(keyList.length).toBeGreaterThan(1);
    expect(new Set(keyList.map(({ appId }) => appId))).toEqual(new Set([own.appId]));
    for (const answer of answers) expect(answer.status).toBe(400);
  });
});

async function messagesOf({ rowId }: Names): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM messages WHERE app_ref = ${rowId}`.execute(api.db);
  return rows[0]?.count ?? 0;
}

describe('a stream', () => {
  test.each([
    ['it is revoked', (id: string) => revokeApiKey(api.db, id)],
    ['its time is over', async () => void (now = new Date(Date.now() + 7_200_000))],
  ])('lasts as long as its key: until %s', async (_, end) => {
    const replica = await openTestApi({
      auth: 'on',
      beside: api,
      streamCheckMs: 20,
      now: () => now,
    });
    const expiresAt = new Date(Date.now() + 3_600_000);
    const { id, text } = await makeKey(api.db, { scopes: ['read'], expiresAt });
    const stream = await openEvents(
      `${replica.url}/inbox/messages/stream?userId=u&applications=${own.appId}`,
      { authorization: `Bearer ${text}` },
    );
    expect(stream.status).toBe(200);

    await end(id);

    await expect(stream.ended).rejects.toThrow();
    await replica.close();
  });
});

describe('an Idempotency-Key', () => {
  test('is its own for every API key', async () => {
    const keys = [boundKey, (await makeKey(api.db, { appRef: own.rowId })).text];
    const body = {
      requestObject: { appId: own.appId, mode: 'ASYNCHRONOUS', message: { userId: 'u', body: {} } },
    };
    const send = (key: string | undefined) =>
      api.call('POST', '/push/message/send', body, {
        authorization: `Bearer ${key}`,
        'idempotency-key': 'the same',
      });

    const [first, others, again] = [await send(keys[0]), await send(keys[1]), await send(keys[0])];

    const idsOf = (answer: Answer) => answer.body.responseObject.messageIds;
    expect(idsOf(others)).not.toEqual(idsOf(first));
    expect(idsOf(again)).toEqual(idsOf(first));
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });
});

describe('POST /admin/key/create', () => {
  const create = (requestObject: object, key?: string) =>
    ask('POST', '/admin/key/create', { requestObject }, key);

  test('shows a key once that works at once, and lists it without its secret', async () => {
    const admin = (await makeKey(api.db)).text;

    const created = await create(
      { name: 'CI', scopes: ['read', 'read'], ratePerSecond: 5, expiresAt: '2099-01-01T00:00:00Z' },
      admin,
    );

    const { key, keyId } = created.body.responseObject as unknown as { key: string; keyId: string };
    const listed = await ask('GET', '/admin/key/list', undefined, admin);
    expect((await ask('GET', '/push/campaign/list', undefined, key)).status).toBe(200);
    expect(listed.text).not.toContain(key.slice(-43));
    const { keyList } = listed.body.responseObject as unknown as { keyList: unknown[] };
    expect(keyList).toContainEqual({
      keyId,
      name: 'CI',
      scopes: ['read'],
      appId: null,
      ratePerSecond: 5,
      state: 'active',
      timestampCreated: expect.any(String) as string,
      timestampExpires: '2099-01-01T00:00:00.000+00:00',
      timestampRevoked: null,
      timestampLastUsed: null,
    });
  });

  test.each([
    { name: '', scopes: ['read'] },
    { name: 'x', scopes: [] },
    { name: 'x', scopes: ['everything'] },
    { name: 'x', scopes: ['read'], expiresAt: '2020-01-01T00:00:00Z' },
    { name: 'x', scopes: ['read'], ratePerSecond: -1 },
    { name: 'x', scopes: ['read'], appId: 'nobody' },
  ])('refuses %j', async (request) => {
    expect((await create(request, (await makeKey(api.db)).text)).status).toBe(400);
  });

  test('is over when it is revoked by the endpoint', async () => {
    const admin = (await makeKey(api.db)).text;
    const { id, text } = await makeKey(api.db);

    const answer = await ask(
      'DELETE',
      '/admin/key/revoke',
      { requestObject: { keyId: id } },
      admin,
    );

    expect(answer.status).toBe(200);
    expect(await listApps(`Bearer ${text}`)).toMatchObject(UNAUTHENTICATED);
  });
});
