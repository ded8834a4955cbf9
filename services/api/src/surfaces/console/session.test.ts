import { randomUUID } from 'node:crypto';

import type { Role } from '@heliograph/core';
import {
  changeConsoleUser,
  insertApiKey,
  listAudit,
  removeConsoleUser,
  type Db,
} from '@heliograph/db';
import { createPasswords } from '@heliograph/runtime/passwords';
import { eventually, makeApp, openTestRedis, startOwnRedis } from '@heliograph/testing';
import { sql } from 'kysely';

import { makeSession, makeUser } from '../../../test/access/session.ts';
import { makeWorld } from '../../../test/access/world.ts';
import { openEvents } from '../../../test/open-events.ts';
import { openTestApi, type Answer, type TestApi } from '../../../test/open-test-api.ts';
import { PLAIN_COOKIE, SECURE_COOKIE } from '../../console/session-cookie.ts';
import type { SignInBounds } from '../../console/sign-in-limit.ts';

const PASSWORD = 'correct horse battery';
const CHEAP = createPasswords({ cost: { memoryKib: 64, passes: 1, lanes: 1 } });
const EASY = { size: 1_000_000, perSecond: 1 };
const NO_BOUNDS: SignInBounds = { pair: EASY, address: EASY, name: EASY, record: EASY };

const HOUR_MS = 3_600_000;
let now = new Date();

let api: TestApi;
let replica: TestApi;
beforeAll(async () => {
  const console = { bounds: NO_BOUNDS, idleMs: HOUR_MS, maxMs: 12 * HOUR_MS };
  api = await openTestApi({ auth: 'on', console, now: () => now, streamCheckMs: 20 });
  replica = await openTestApi({ auth: 'on', console, beside: api });
});
afterAll(async () => {
  await replica.close();
  await api.close();
});
afterEach(() => {
  now = new Date();
});

interface MadeUser {
  readonly name: string;
  readonly password: string;
}

async function makeWithPassword(
  db: Db,
  options: { readonly role?: Role; readonly appRef?: number } = {},
): Promise<MadeUser> {
  const passwordHash = await CHEAP.hash(PASSWORD);
  return { name: await makeUser(db, { ...options, passwordHash }), password: PASSWORD };
}

function signIn(
  user: MadeUser,
  { at = api, headers = {} }: { at?: TestApi; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return at.call('POST', '/console/session', { requestObject: user }, headers);
}

interface Session {
  readonly name: string;
  readonly csrfToken: string;
}

/** What a browser would show after this answer. */
function toHeaders(answer: Answer): Record<string, string> {
  const { csrfToken } = answer.body.responseObject as unknown as Session;
  const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';');
  return { cookie, 'x-csrf-token': csrfToken };
}

const whoAmI = (headers: Record<string, string>, at = api) =>
  at.call('GET', '/console/session', undefined, headers);
const signOut = (headers: Record<string, string>, path = '/console/session') =>
  api.call('DELETE', path, undefined, headers);

describe('POST /console/session', () => {
  test('begins a session, and says who is signed in', async () => {
    const appRef = await makeApp(api.db);
    const user = await makeWithPassword(api.db, { role: 'editor', appRef });
    const { appId } = await api.db
      .selectFrom('apps')
      .select('appId')
      .where('id', '=', appRef)
      .executeTakeFirstOrThrow();

    const answer = await signIn({ ...user, name: ` ${user.name.toUpperCase()} ` });
    const again = await whoAmI(toHeaders(answer), replica);

    expect(answer).toMatchObject({
      status: 200,
      body: {
        status: 'OK',
        responseObject: {
          name: user.name,
          role: 'editor',
          scopes: ['read', 'campaigns'],
          appId,
          csrfToken: expect.stringMatching(/^[\w-]{43}$/) as string,
          timestampExpires: expect.any(String) as string,
          idleSeconds: 3600,
        },
      },
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(again).toMatchObject({ status: 200, body: answer.body });
  });

  test('sets a cookie that no script reads, and no other site sends', async () => {
    const user = await makeWithPassword(api.db);

    const [local, https] = [
      await signIn(user),
      await signIn(user, { headers: { 'x-forwarded-proto': 'https' } }),
    ];

    expect(local.headers.get('set-cookie')).toMatch(
      /^heliograph=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    expect(https.headers.get('set-cookie')).toMatch(
      /^__Host-heliograph=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
  });

  test('keeps a hash of what the cookie holds, and nothing by which it could be made', async () => {
    const user = await makeWithPassword(api.db);

    const { cookie = '' } = toHeaders(await signIn(user));

    const { rows } = await sql<{ text: string }>`
      SELECT s::text AS text FROM console_sessions s JOIN console_users u ON u.id = s.user_id
      WHERE u.name = ${user.name}`.execute(api.db);
    const id = cookie.slice(PLAIN_COOKIE.length + 1);
    expect(rows.length).toBe(1);
    expect(rows[0]?.text).not.toContain(id);
    expect(rows[0]?.text).not.toContain(Buffer.from(id).toString('hex'));
    expect(rows[0]?.text).not.toContain(Buffer.from(id, 'base64url').toString('hex'));
  });

  test('answers alike whatever is wrong', async () => {
    const user = await makeWithPassword(api.db);
    const disabled = await makeWithPassword(api.db);
    await changeConsoleUser(api.db, disabled.name, { disabledAt: new Date() });

    const answers = await Promise.all(
      [
        { ...user, password: 'correct horse batterY' },
        { ...user, password: '' },
        { ...user, name: randomUUID() },
        { ...user, name: 'no name at all' },
        { ...user, name: '' },
        disabled,
      ].map((one) => signIn(one)),
    );

    const [first] = answers;
    expect(first?.status).toBe(401);
    for (const { text, status, headers } of answers) {
      expect({ text, status }).toEqual({ text: first?.text, status: 401 });
      // A browser would ask for a password by itself.
      expect(headers.get('www-authenticate') ?? '').not.toContain('Basic');
      expect(headers.get('set-cookie')).toBeNull();
    }
  });

  test('does the work of a hash where there is no such user, too', async () => {
    const looked: (string | undefined)[] = [];
    const passwords = {
      ...CHEAP,
      verify(hash: string | undefined, password: string) {
        looked.push(hash);
        return CHEAP.verify(hash, password);
      },
    };
    const other = await openTestApi({ auth: 'on', beside: api, console: { passwords } });

    await signIn({ name: randomUUID(), password: PASSWORD }, { at: other });
    await signIn({ name: 'no name', password: PASSWORD }, { at: other });
    await other.close();

    expect(looked).toEqual([undefined, undefined]);
  });

  test('ends the session that the browser had before', async () => {
    const user = await makeWithPassword(api.db);
    const first = toHeaders(await signIn(user));
    await whoAmI(first, replica);

    const second = toHeaders(await signIn(user, { headers: { cookie: first['cookie'] ?? '' } }));

    expect(second['cookie']).not.toBe(first['cookie']);
    await eventually(async () => expect((await whoAmI(first, replica)).status).toBe(401));
    expect((await whoAmI(second)).status).toBe(200);
  });

  test('hashes the password again where that costs too little by now, and ends no session for it', async () => {
    const user = await makeWithPassword(api.db);
    const first = toHeaders(await signIn(user, { at: await cheapApi() }));
    expect(await hashOf(user.name)).toMatch(/m=64,t=1,p=1/);

    const answer = await signIn(user);

    const hash = await hashOf(user.name);
    expect(answer.status).toBe(200);
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await createPasswords().verify(hash, PASSWORD)).toBe(true);
    expect((await signIn(user)).status).toBe(200);
    expect(await hashOf(user.name)).toBe(hash);
    expect((await whoAmI(first)).status).toBe(200);
  });

  test('opens nothing where the password was changed while it was looked at', async () => {
    const user = await makeWithPassword(api.db);
    const passwords = {
      ...CHEAP,
      async verify(hash: string | undefined, password: string) {
        const isRight = await CHEAP.verify(hash, password);
        await changeConsoleUser(api.db, user.name, { passwordHash: 'another' });
        return isRight;
      },
    };
    const other = await openTestApi({ auth: 'on', beside: api, console: { passwords } });

    const answer = await signIn(user, { at: other });
    await other.close();

    expect(answer.status).toBe(401);
  });

  test('keeps twenty sessions of a user, and forgets those that are over', async () => {
    const user = await makeWithPassword(api.db);
    now = new Date(Date.now() - 13 * HOUR_MS);
    await signIn(user);
    now = new Date();
    const first = toHeaders(await signIn(user));
    for (let n = 0; n < 20; n += 1) await signIn(user);

    const { rows } = await sql<{ count: number }>`
      SELECT count(*)::int AS count FROM console_sessions s JOIN console_users u ON u.id = s.user_id
      WHERE u.name = ${user.name}`.execute(api.db);

    expect(rows).toEqual([{ count: 20 }]);
    await eventually(async () => expect((await whoAmI(first)).status).toBe(401));
  });

  test('is refused in the clear, unless it is allowed', async () => {
    const user = await makeWithPassword(api.db);
    const headers = { 'x-forwarded-proto': 'http' };
    const lax = await openTestApi({
      auth: 'on',
      beside: api,
      console: { allowHttp: true, passwords: CHEAP },
    });

    const refused = await signIn(user, { headers });
    const allowed = await signIn(user, { headers, at: lax });
    const known = await whoAmI({ ...toHeaders(allowed), ...headers }, lax);
    const unknown = await whoAmI({ ...toHeaders(allowed), ...headers });
    await lax.close();

    expect(refused.status).toBe(403);
    expect(refused.body.responseObject.message).toContain('TRUSTED_PROXIES');
    expect([allowed.status, known.status, unknown.status]).toEqual([200, 200, 401]);
  });

  test.each([
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
  ])('is refused to a page elsewhere: %j', async (headers) => {
    const user = await makeWithPassword(api.db);

    const answer = await signIn(user, { headers });

    expect(answer.status).toBe(403);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });
});

let cheap: TestApi | undefined;
/** Where hashes that cost little are as they should be. */
async function cheapApi(): Promise<TestApi> {
  cheap ??= await openTestApi({
    auth: 'on',
    beside: api,
    console: { passwords: CHEAP, bounds: NO_BOUNDS },
  });
  return cheap;
}
afterAll(() => cheap?.close());

async function hashOf(name: string): Promise<string> {
  const { passwordHash } = await api.db
    .selectFrom('consoleUsers')
    .select('passwordHash')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return passwordHash ?? '';
}

async function makeSignedIn(role: Role = 'admin') {
  const user = await makeWithPassword(api.db, { role });
  return { ...user, headers: toHeaders(await signIn(user, { at: await cheapApi() })) };
}

describe('a session', () => {
  test('is over when the user signs out, everywhere, and the browser forgets it', async () => {
    const { headers } = await makeSignedIn();
    expect((await whoAmI(headers, replica)).status).toBe(200);

    const answer = await signOut(headers);

    expect(answer).toMatchObject({ status: 200, body: { status: 'OK' } });
    expect(answer.headers.get('set-cookie')).toBe(
      'heliograph=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict',
    );
    await eventually(async () => expect((await whoAmI(headers, replica)).status).toBe(401));
  });

  test('is shown among those of the same user, who may end all of them', async () => {
    const one = await makeSignedIn();
    const more = { 'user-agent': 'a phone', 'x-forwarded-for': '192.0.2.7' };
    const other = toHeaders(await signIn(one, { headers: more, at: await cheapApi() }));
    const stranger = await makeSignedIn();

    const list = await api.call('GET', '/console/session/list', undefined, one.headers);
    const ended = await signOut(one.headers, '/console/session/all');

    expect(list.body.responseObject).toMatchObject({
      sessionList: [
        { current: false, address: '192.0.2.7', userAgent: 'a phone' },
        { current: true, address: '127.0.0.1' },
      ],
    });
    expect(ended.status).toBe(200);
    await eventually(async () =>
      expect(
        await Promise.all([one.headers, other].map(async (h) => (await whoAmI(h)).status)),
      ).toEqual([401, 401]),
    );
    expect((await whoAmI(stranger.headers)).status).toBe(200);
  });

  test('is over when it was not used for long, and each use puts that off', async () => {
    const began = Date.now();
    const { headers } = await makeSignedIn();
    const at = async (minutes: number) => {
      now = new Date(began + minutes * 60_000);
      return (await whoAmI(headers)).status;
    };

    expect(await at(50)).toBe(200);
    // What was noted is known within a second, which the minutes of this test are not.
    await eventually(async () => expect(await at(100)).toBe(200));
    await eventually(async () => expect(await at(155)).toBe(200));
    expect(await at(220)).toBe(401);
  });

  test('is over some time, however much it is used', async () => {
    const began = Date.now();
    const { headers, name } = await makeSignedIn();
    await sql`
      UPDATE console_sessions s SET last_used_at = ${new Date(began + 12 * HOUR_MS)}
      FROM console_users u WHERE u.id = s.user_id AND u.name = ${name}`.execute(api.db);

    now = new Date(began + 12 * HOUR_MS - 60_000);
    const before = (await whoAmI(headers)).status;
    now = new Date(began + 12 * HOUR_MS + 60_000);
    const after = (await whoAmI(headers)).status;

    expect([before, after]).toEqual([200, 401]);
  });

  test.each<[string, (name: string) => Promise<unknown>]>([
    ['gets another role', (name) => changeConsoleUser(api.db, name, { role: 'viewer' })],
    ['gets another password', (name) => changeConsoleUser(api.db, name, { passwordHash: 'x' })],
    ['is disabled', (name) => changeConsoleUser(api.db, name, { disabledAt: new Date() })],
    ['is removed', (name) => removeConsoleUser(api.db, name)],
  ])('is over on every server when its user %s, and so are its streams', async (_, change) => {
    const { headers, name } = await makeSignedIn();
    const names = await makeWorld(api.db, randomUUID());
    const stream = await openEvents(
      `${api.url}/push/campaign/${names.campaignId}/run/events`,
      headers,
    );
    expect([stream.status, (await whoAmI(headers, replica)).status]).toEqual([200, 200]);

    await change(name);

    await eventually(async () =>
      expect(
        await Promise.all([api, replica].map(async (at) => (await whoAmI(headers, at)).status)),
      ).toEqual([401, 401]),
    );
    await expect(stream.ended).rejects.toThrow('terminated');
  });

  test('lets its user do what the role allows, and no more, by the same API as keys', async () => {
    const names = await makeWorld(api.db, randomUUID());
    const send = (headers: Record<string, string>) =>
      api.call(
        'POST',
        '/push/message/send',
        {
          requestObject: { appId: names.appId, message: { userId: 'u', body: { title: 'Hello' } } },
        },
        headers,
      );

    const answers = await Promise.all(
      (['viewer', 'editor', 'sender', 'admin'] as const).map(async (role) =>
        send((await makeSignedIn(role)).headers),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 200, 200]);
  });

  test('counts where no key is shown; a key that is wrong is not made good by it', async () => {
    const { headers } = await makeSignedIn();
    const ask = (more: Record<string, string>) =>
      api.call('GET', '/admin/app/list', undefined, { ...headers, ...more });

    const [alone, wrong] = [
      await ask({}),
      await ask({ authorization: 'Bearer hg_0123456789abcdef_x' }),
    ];

    expect([alone.status, wrong.status]).toEqual([200, 401]);
  });

  test.each([
    ['two cookies', (cookie: string) => `${cookie}; ${cookie}`],
    ['another name', (cookie: string) => cookie.replace(PLAIN_COOKIE, SECURE_COOKIE)],
    ['less than an id', (cookie: string) => cookie.slice(0, -1)],
    ['nothing', () => `${PLAIN_COOKIE}=`],
    ['an id of nobody', () => `${PLAIN_COOKIE}=${'x'.repeat(43)}`],
  ])('is none by %s', async (_, change) => {
    const { headers } = await makeSignedIn();

    const answer = await api.call('GET', '/admin/app/list', undefined, {
      cookie: change(headers['cookie'] ?? ''),
    });

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="heliograph"');
  });

  test('opens no signed request', async () => {
    const { headers } = await makeSignedIn();

    const answer = await api.call('POST', '/api/1.0/push/alice', {}, headers);

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('MAAIISDK10');
  });

  test('has the limit of the server on requests, counted by user', async () => {
    const limited = await openTestApi({ auth: 'on', beside: api, ratePerSecond: 0.0001 });
    const [one, other] = [await makeSignedIn(), await makeSignedIn()];
    const ask = async (headers: Record<string, string>) =>
      (await limited.call('GET', '/admin/app/list', undefined, headers)).status;

    const statuses = [await ask(one.headers), await ask(one.headers), await ask(other.headers)];
    await limited.close();

    expect(statuses).toEqual([200, 429, 200]);
  });

  test('is nobody when nobody signed in', async () => {
    const answers = [await whoAmI({}), await signOut({}), await api.get('/console/session/list')];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
  });
});

describe('a request of another site', () => {
  const create = (headers: Record<string, string>) =>
    api.call('POST', '/admin/app/create', { requestObject: { appId: randomUUID() } }, headers);

  test.each<[string, Record<string, string>]>([
    ['no token', { 'x-csrf-token': '' }],
    ['a token of its own', { 'x-csrf-token': 'x'.repeat(43) }],
    ['an origin of its own', { origin: 'https://evil.example' }],
    ['an origin that is hidden', { origin: 'null' }],
    ['a neighbour of the same site', { 'sec-fetch-site': 'same-site' }],
    ['the word of the browser', { 'sec-fetch-site': 'cross-site' }],
    ['no page at all', { 'sec-fetch-site': 'none' }],
  ])('changes nothing by a session: %s', async (_, more) => {
    const { headers } = await makeSignedIn();

    const answers = [await create({ ...headers, ...more }), await signOut({ ...headers, ...more })];

    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
    expect((await whoAmI(headers)).status).toBe(200);
  });

  test("is not helped by another session's token", async () => {
    const [one, other] = [await makeSignedIn(), await makeSignedIn()];

    const answer = await create({
      ...one.headers,
      'x-csrf-token': other.headers['x-csrf-token'] ?? '',
    });

    expect(answer.status).toBe(403);
  });

  test('is told apart from one of ours', async () => {
    const { headers } = await makeSignedIn();

    const answers = [
      await create({ ...headers, origin: api.url }),
      await create({ ...headers, 'sec-fetch-site': 'same-origin', origin: 'https://public.name' }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  test('is allowed nothing beforehand: no CORS', async () => {
    const { headers } = await makeSignedIn();
    const asked = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };

    const answers = [
      await api.call('OPTIONS', '/admin/app/create', undefined, asked),
      await api.call('OPTIONS', '/console/session', undefined, asked),
      await api.call('GET', '/admin/app/list', undefined, { ...headers, ...asked }),
    ];

    for (const answer of answers)
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-'))).toEqual([]);
  });
});

/** Less than one attempt in the time that any test takes. */
const SLOW = 0.0001;

describe('attempts to sign in', () => {
  const bounds: SignInBounds = {
    pair: { size: 3, perSecond: SLOW },
    address: { size: 8, perSecond: SLOW },
    name: { size: 6, perSecond: SLOW },
    record: { size: 2, perSecond: SLOW },
  };
  const from = (address: string) => ({ 'x-forwarded-for': address });

  async function openPair() {
    const console = { bounds, passwords: CHEAP };
    const one = await openTestApi({ auth: 'on', console });
    const other = await openTestApi({ auth: 'on', console, beside: one });
    return {
      one,
      other,
      close: async () => {
        await other.close();
        await one.close();
      },
    };
  }

  test('are counted over all servers, by user and address', async () => {
    const { one, other, close } = await openPair();
    const [ada, bob] = [await makeWithPassword(one.db), await makeWithPassword(one.db)];
    const wrong = { ...ada, password: 'wrong' };

    const statuses = [];
    for (const at of [one, other, one]) statuses.push((await signIn(wrong, { at })).status);
    const refused = await signIn(ada, { at: other });
    const elsewhere = await signIn(ada, { at: other, headers: from('192.0.2.1') });
    const somebodyElse = await signIn(bob, { at: other });
    await close();

    expect(statuses).toEqual([401, 401, 401]);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(9000);
    expect([elsewhere.status, somebodyElse.status]).toEqual([200, 200]);
  });

  test('are bounded of one address, whomever it tries, and of one name, wherever from', async () => {
    const { one, close } = await openPair();
    const ada = await makeWithPassword(one.db);
    const guess = async (name: string, address: string) =>
      (await signIn({ name, password: 'wrong' }, { at: one, headers: from(address) })).status;

    const byAddress = [];
    for (let n = 0; n < 9; n += 1) byAddress.push(await guess(randomUUID(), '192.0.2.1'));
    const byName = [];
    for (let n = 0; n < 7; n += 1) byName.push(await guess(ada.name, `192.0.2.${n + 10}`));
    await close();

    expect(byAddress).toEqual([...Array<number>(8).fill(401), 429]);
    expect(byName).toEqual([...Array<number>(6).fill(401), 429]);
  });

  test('are not counted where the password is right', async () => {
    const { one, close } = await openPair();
    const ada = await makeWithPassword(one.db);

    const statuses = [];
    for (let n = 0; n < 10; n += 1) statuses.push((await signIn(ada, { at: one })).status);
    await close();

    expect(statuses).toEqual(Array(10).fill(200));
  });

  test('are bounded by each server alone while Redis is away', async () => {
    const redis = await startOwnRedis();
    const { prefix } = await openTestRedis();
    const alone = await openTestApi({
      auth: 'on',
      redis: { url: redis.url, prefix },
      console: { bounds, passwords: CHEAP, patienceMs: 100 },
    });
    const ada = await makeWithPassword(alone.db);
    await eventually(() => expect(alone.redisConnection.status).toBe('ready'));
    await redis.kill();

    const statuses = [];
    for (let n = 0; n < 4; n += 1)
      statuses.push((await signIn({ ...ada, password: 'wrong' }, { at: alone })).status);
    await alone.close();
    await redis.stop();

    expect(statuses).toEqual([401, 401, 401, 429]);
  });

  test('are written down, but only so many that failed', async () => {
    const { one, close } = await openPair();
    const ada = await makeWithPassword(one.db);
    const guesses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];

    await signIn(ada, { at: one, headers: from('198.51.100.1') });
    for (const address of guesses)
      await signIn({ ...ada, password: 'wrong' }, { at: one, headers: from(address) });
    await signIn({ name: 'secret typed as name', password: 'x' }, { at: one });

    const entries = await listAudit(one.db, { appRef: undefined, before: undefined, limit: 10 });
    await close();
    const common = { actor: `user ${ada.name}`, action: 'console.session.create', keyId: null };
    expect(entries).toMatchObject([
      { ...common, outcome: 'unauthenticated', objects: { address: '192.0.2.2' } },
      { ...common, outcome: 'unauthenticated', objects: { address: '192.0.2.1' } },
      { ...common, outcome: 'ok', objects: { address: '198.51.100.1' } },
    ]);
    expect(entries.length).toBe(3);
    expect(JSON.stringify(entries)).not.toContain('secret');
  });
});

test('a flood of sign-ins is cut down, and messages are taken beside it', async () => {
  const passwords = createPasswords({ maxWaiting: 4 });
  const flooded = await openTestApi({ auth: 'on', console: { passwords, bounds: NO_BOUNDS } });
  const names = await makeWorld(flooded.db, randomUUID());
  const { text } = await insertApiKey(flooded.db, {
    name: 'backend',
    scopes: ['send'],
    appRef: null,
    ratePerSecond: null,
    expiresAt: null,
  });
  const statuses = new Map<number, number>();
  const flood = new AbortController();
  const flooding = Array.from({ length: 10 }, async () => {
    while (!flood.signal.aborted) {
      const { status } = await signIn({ name: 'ada', password: 'wrong' }, { at: flooded });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  await eventually(() => {
    expect(statuses.get(401)).toBeGreaterThan(0);
    expect(statuses.get(503)).toBeGreaterThan(0);
  });

  const sent = [];
  for (let n = 0; n < 20; n += 1)
    sent.push(
      (
        await flooded.call(
          'POST',
          '/push/message/send',
          {
            requestObject: {
              appId: names.appId,
              mode: 'ASYNCHRONOUS',
              message: { userId: 'u', body: { title: 'Hello' } },
            },
          },
          { authorization: `Bearer ${text}` },
        )
      ).status,
    );
  flood.abort();
  await Promise.all(flooding);
  await flooded.close();

  expect(sent).toEqual(Array(20).fill(200));
  expect(new Set(statuses.keys())).toEqual(new Set([401, 503]));
});

describe('where access control is off', () => {
  test('everybody is signed in already', async () => {
    const open = await openTestApi();

    const [who, tried] = [
      await whoAmI({}, open),
      await signIn({ name: 'ada', password: 'x' }, { at: open }),
    ];
    await open.close();

    expect(who.body.responseObject).toMatchObject({
      name: 'anybody',
      role: 'admin',
      csrfToken: null,
    });
    expect(tried.status).toBe(400);
  });
});

describe('the audit log', () => {
  test('names the user who did something, and who signed out', async () => {
    const name = randomUUID();
    const headers = await makeSession(api.db, { name });

    await api.call(
      'POST',
      '/admin/app/create',
      { requestObject: { appId: randomUUID() } },
      headers,
    );
    await signOut(headers);

    const entries = await listAudit(api.db, { appRef: undefined, before: undefined, limit: 1000 });
    expect(entries.filter(({ actor }) => actor === `user ${name}`)).toMatchObject([
      { action: 'console.session.delete', outcome: 'ok', keyId: null },
      { action: 'admin.app.create', outcome: 'ok', keyId: null },
    ]);
  });
});

describe('POST /console/session/password', () => {
  const NEW = 'another horse battery';

  const change = (
    headers: Record<string, string>,
    requestObject: object = { password: PASSWORD, newPassword: NEW },
    at = api,
  ) => at.call('POST', '/console/session/password', { requestObject }, headers);

  test('gives another password; this session goes on, the others of the user end', async () => {
    const user = await makeSignedIn('viewer');
    const other = toHeaders(await signIn(user, { at: await cheapApi() }));

    const answer = await change(user.headers);

    expect(answer).toMatchObject({ status: 200, body: { status: 'OK' } });
    expect((await signIn(user)).status).toBe(401);
    expect((await signIn({ ...user, password: NEW })).status).toBe(200);
    await eventually(async () => expect((await whoAmI(other, replica)).status).toBe(401));
    expect((await whoAmI(user.headers)).status).toBe(200);
    expect((await whoAmI(user.headers, replica)).status).toBe(200);
    const all = await listAudit(api.db, { appRef: undefined, before: undefined, limit: 1000 });
    const entries = all.filter(({ actor }) => actor === `user ${user.name}`);
    expect(entries).toContainEqual(
      expect.objectContaining({ action: 'console.session.password', outcome: 'ok', keyId: null }),
    );
    expect(JSON.stringify(entries)).not.toContain(NEW);
  });

  test.each([
    ['a wrong present one', { password: 'something else', newPassword: NEW }, 'present password'],
    ['one that is too short', { password: PASSWORD, newPassword: 'short' }, '12 to 256 characters'],
  ])('refuses %s, and changes nothing', async (_, requestObject, words) => {
    const user = await makeSignedIn();

    const answer = await change(user.headers, requestObject);

    expect(answer.status).toBe(400);
    expect(answer.body.responseObject.message).toContain(words);
    expect((await signIn(user)).status).toBe(200);
    expect((await whoAmI(user.headers)).status).toBe(200);
  });

  test('is for whoever is signed in, shows the token, and has no key', async () => {
    const { headers } = await makeSignedIn();

    const answers = [
      await change({}),
      await change({ cookie: headers['cookie'] ?? '' }),
      await change({ ...headers, 'sec-fetch-site': 'cross-site' }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 403, 403]);
  });

  test('is no way to guess a password faster than by signing in', async () => {
    const user = await makeSignedIn();
    const bounds = { ...NO_BOUNDS, pair: { size: 2, perSecond: 0.000_001 } };
    const strict = await openTestApi({
      auth: 'on',
      beside: api,
      console: { passwords: CHEAP, bounds },
    });
    const wrong = { password: 'a wrong guess', newPassword: NEW };

    const answers = [
      await change(user.headers, wrong, strict),
      await change(user.headers, wrong, strict),
      await change(user.headers, undefined, strict),
    ];
    await strict.close();

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 429]);
    expect(Number(answers[2]?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('is refused where somebody else changes the user at the same time', async () => {
    const user = await makeSignedIn();
    const passwords = {
      ...CHEAP,
      async hash(password: string) {
        await changeConsoleUser(api.db, user.name, { passwordHash: 'another' });
        return CHEAP.hash(password);
      },
    };
    const other = await openTestApi({
      auth: 'on',
      beside: api,
      console: { passwords, bounds: NO_BOUNDS },
    });

    const answer = await change(user.headers, undefined, other);
    await other.close();

    expect(answer.status).toBe(409);
    expect(await hashOf(user.name)).toBe('another');
  });
});
