import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ROLES, type Role } from '@heliograph/core';
import { changeConsoleUser, findOpenIdUser, listAudit, removeConsoleUser } from '@heliograph/db';
import { createLogger } from '@heliograph/runtime';
import { eventually, startOpenIdProvider, type OpenIdProviderServer } from '@heliograph/testing';

import { makeSession, makeUser } from '../../../test/access/session.ts';
import { makeKey } from '../../../test/access/world.ts';
import {
  openTestApi,
  type Answer,
  type TestApi,
  type TestConsole,
} from '../../../test/open-test-api.ts';
import { SECURE_ATTEMPT_COOKIE, toAttemptCookie } from '../../console/openid/open-id-attempt.ts';
import type { OpenIdReason, OpenIdSettings } from '../../console/openid/open-id.ts';
import type { SignInBounds } from '../../console/sign-in-limit.ts';

const CONSOLE = 'https://push.example/console';
const CLIENT = {
  client_id: 'heliograph',
  client_secret: 'a secret of the client: %+&=',
  redirect_uris: [`${CONSOLE}/session/oidc/callback`],
};
const EASY = { size: 1_000_000, perSecond: 1 };
const NO_BOUNDS: SignInBounds = { pair: EASY, address: EASY, name: EASY, record: EASY };
/** As a proxy in front says that it came by https. */
const HTTPS = { 'x-forwarded-proto': 'https' };

let provider: OpenIdProviderServer;
let openId: OpenIdSettings;
let api: TestApi;
let replica: TestApi;
let admin: Record<string, string>;
const logged: Record<string, unknown>[] = [];

function withOpenId(
  more: Partial<NonNullable<TestConsole['openId']>> = {},
  bounds = NO_BOUNDS,
): TestConsole {
  return { bounds, openId: { ...openId, ...more } };
}

beforeAll(async () => {
  provider = await startOpenIdProvider([
    CLIENT,
    { ...CLIENT, client_id: 'public', token_endpoint_auth_method: 'none' },
  ]);
  openId = {
    issuer: new URL(provider.issuer),
    clientId: CLIENT.client_id,
    clientSecret: CLIENT.client_secret,
    scopes: 'openid profile email',
    name: 'Example ID',
    consoleUrl: CONSOLE,
    roleClaim: 'roles',
    roles: new Map(ROLES.map((role) => [role, role])),
  };
  const log = createLogger('test', 'warn', {
    write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>),
  });
  api = await openTestApi({ auth: 'on', console: withOpenId(), log });
  replica = await openTestApi({ auth: 'on', console: withOpenId(), beside: api });
  admin = { authorization: `Bearer ${(await makeKey(api.db)).text}` };
});
afterAll(async () => {
  await replica.close();
  await api.close();
  await provider.close();
});

interface Person {
  readonly subject: string;
  readonly name: string;
}

async function makePerson(
  roles: readonly Role[] | undefined = ['viewer'],
  claims: Record<string, unknown> = {},
): Promise<Person> {
  const [subject, name] = [randomUUID(), `p-${randomUUID()}`];
  await provider.setClaims(subject, { preferred_username: name, roles, ...claims });
  return { subject, name };
}

const get = (at: TestApi, path: string, headers: Record<string, string> = {}) =>
  at.call('GET', path, undefined, { ...HTTPS, ...headers });

/** The cookie of that name which an answer sets. */
function findSet(answer: Answer, name: string): string | undefined {
  return answer.headers
    .getSetCookie()
    .find((one) => one.startsWith(`${name}=`))
    ?.split(';')[0];
}

interface Begun {
  readonly answer: Answer;
  readonly url: string;
  readonly cookie: string;
}

async function begin(to = '/', { at = api, headers = {} } = {}): Promise<Begun> {
  const answer = await get(at, `/console/session/oidc?to=${encodeURIComponent(to)}`, headers);
  const url = answer.headers.get('location') ?? '';
  return { answer, url, cookie: findSet(answer, SECURE_ATTEMPT_COOKIE) ?? '' };
}

const land = (url: URL, cookie: string, { at = api, headers = {} } = {}) =>
  get(at, url.pathname + url.search, { cookie, ...headers });

interface SignInOptions {
  readonly to?: string;
  readonly at?: TestApi;
  /** The same server unless given. */
  readonly landAt?: TestApi;
  readonly headers?: Record<string, string>;
}

/** The whole way, at one server; answers where it ends. */
async function signIn(
  { subject }: Pick<Person, 'subject'>,
  { to = '/', at = api, landAt, headers = {} }: SignInOptions = {},
): Promise<Answer> {
  const { url, cookie } = await begin(to, { at, headers });
  return land(await provider.visit(url, subject), cookie, {
    at: landAt ?? at,
  });
}

async function whoIs(answer: Answer, at = api): Promise<Record<string, unknown>> {
  const cookie = findSet(answer, '__Host-heliograph') ?? '';
  const { body } = await get(at, '/console/session', { cookie });
  return body.responseObject as unknown as Record<string, unknown>;
}

const toReason = (answer: Answer) => new URL(answer.headers.get('location') ?? '').hash;
const because = (reason: OpenIdReason) => `#sign-in=${reason}`;

function expectRefused(answer: Answer, reason: OpenIdReason): void {
  expect({ status: answer.status, reason: toReason(answer) }).toEqual({
    status: 303,
    reason: because(reason),
  });
  expect(findSet(answer, '__Host-heliograph')).toBeUndefined();
}

const find = ({ subject }: Person) => findOpenIdUser(api.db, { issuer: provider.issuer, subject });
const listed = async (name: string) => {
  const { body } = await api.call('GET', '/admin/user/list', undefined, admin);
  const { userList } = body.responseObject as unknown as {
    userList: readonly { readonly name: string }[];
  };
  return userList.find((user) => user.name === name);
};
const auditOf = async (name: string) =>
  (await listAudit(api.db, { appRef: undefined, before: undefined, limit: 1000 })).filter(
    ({ actor }) => actor === `user ${name}`,
  );

describe('GET /console/session/ways', () => {
  test('tells everybody by whom one may sign in, and where that begins', async () => {
    const answer = await api.get('/console/session/ways');

    expect(answer.body.responseObject).toEqual({
      oidc: { name: 'Example ID', url: `${CONSOLE}/session/oidc` },
    });
  });

  test('tells of nothing where there is none, or nobody has to sign in', async () => {
    const none = await openTestApi({ auth: 'on', beside: api });
    const off = await openTestApi({ beside: api, console: withOpenId() });

    const ways = [await none.get('/console/session/ways'), await off.get('/console/session/ways')];
    const begun = [
      await get(none, '/console/session/oidc'),
      await get(off, '/console/session/oidc'),
    ];
    const landed = await get(none, '/console/session/oidc/callback?code=x&state=y');
    await none.close();
    await off.close();

    expect(ways.map(({ body }) => body.responseObject)).toEqual([{ oidc: null }, { oidc: null }]);
    expect([...begun, landed].map(({ status }) => status)).toEqual([404, 400, 404]);
  });
});

describe('GET /console/session/oidc', () => {
  test('leads to the provider, with PKCE, a state and a nonce that nobody else knows', async () => {
    const [one, other] = [await begin(), await begin()];

    const { origin, pathname, searchParams } = new URL(one.url);
    expect(one.answer.status).toBe(303);
    expect(one.answer.headers.get('cache-control')).toBe('no-store');
    expect(one.answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(origin + pathname).toBe(`${provider.issuer}/auth`);
    expect(Object.fromEntries(searchParams)).toEqual({
      client_id: 'heliograph',
      response_type: 'code',
      redirect_uri: CLIENT.redirect_uris[0],
      scope: 'openid profile email',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      state: expect.stringMatching(/^[\w-]{43}$/) as string,
      nonce: expect.stringMatching(/^[\w-]{43}$/) as string,
    });
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(new URL(other.url).searchParams.get(name)).not.toBe(searchParams.get(name));
    expect(Buffer.from(one.cookie, 'base64url').toString()).not.toContain(
      searchParams.get('state'),
    );
  });

  test('is bounded by address, as the landing is', async () => {
    const bounds = { ...NO_BOUNDS, address: { size: 3, perSecond: 0.0001 } };
    const strict = await openTestApi({ auth: 'on', console: withOpenId({}, bounds) });
    const person = await makePerson();

    // Whoever gets in is not counted.
    const fine = [
      await signIn(person, { at: strict }),
      await signIn(person, { at: strict }),
      await signIn(person, { at: strict }),
    ];
    const begun = [];
    for (let n = 0; n < 4; n += 1) begun.push((await begin('/x', { at: strict })).url);
    const landed = await get(strict, '/console/session/oidc/callback?code=x&state=y');
    const elsewhere = await begin('/', { at: strict, headers: { 'x-forwarded-for': '192.0.2.1' } });
    await strict.close();

    expect(fine.map(toReason)).toEqual(['', '', '']);
    expect(begun.slice(0, 3).every((url) => url.startsWith(provider.issuer))).toBe(true);
    expect(begun[3]).toBe(`${CONSOLE}/x${because('throttled')}`);
    expectRefused(landed, 'throttled');
    expect(elsewhere.url).toContain(provider.issuer);
  });

  test('is refused in the clear', async () => {
    const answer = await api.call('GET', '/console/session/oidc', undefined, {
      'x-forwarded-proto': 'http',
    });

    expectRefused(answer, 'insecure');
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});

describe('who comes back from the provider', () => {
  test('is signed in, at whichever server, and where they wanted to be', async () => {
    const person = await makePerson(['editor']);

    const answer = await signIn(person, { to: '/deliveries?userId=bob', landAt: replica });

    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      `${CONSOLE}/deliveries?userId=bob`,
    ]);
    expect(answer.headers.getSetCookie()).toEqual([
      '__Host-heliograph-oidc=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure',
      expect.stringMatching(
        /^__Host-heliograph=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
      ),
    ]);
    expect(await whoIs(answer)).toMatchObject({
      name: person.name,
      role: 'editor',
      appId: null,
      signInWay: 'oidc',
      csrfToken: expect.any(String) as string,
    });
    expect(await listed(person.name)).toMatchObject({
      role: 'editor',
      signInWay: 'oidc',
      disabled: false,
      timestampLastSignIn: expect.any(String) as string,
    });
    expect(await auditOf(person.name)).toMatchObject([
      {
        action: 'console.session.create',
        outcome: 'ok',
        keyId: null,
        objects: { address: '127.0.0.1', way: 'oidc' },
      },
    ]);
  });

  test.each(['https://evil.example/', '/../../evil', '@evil.example', '/session/oidc'])(
    'is led to %s by nobody',
    async (to) => {
      const answer = await signIn(await makePerson(), { to });

      expect(answer.headers.get('location')).toBe(`${CONSOLE}/`);
    },
  );

  test('may be one of a public client, which has no secret', async () => {
    const other = await openTestApi({
      auth: 'on',
      beside: api,
      console: withOpenId({ clientId: 'public', clientSecret: undefined }),
    });
    const person = await makePerson();

    const answer = await signIn(person, { at: other });
    await other.close();

    expect(await whoIs(answer)).toMatchObject({ name: person.name });
  });

  test('has the session of this browser only: the one before ends', async () => {
    const person = await makePerson();
    const first = await signIn(person);
    const cookie = findSet(first, '__Host-heliograph') ?? '';

    const second = await signIn(person, { headers: { cookie } });

    await eventually(async () =>
      expect((await get(replica, '/console/session', { cookie })).status).toBe(401),
    );
    expect(await whoIs(second)).toMatchObject({ name: person.name });
  });

  test.each<[string, (url: URL) => void]>([
    ['another state', (url) => url.searchParams.set('state', 'x'.repeat(43))],
    ['no state', (url) => url.searchParams.delete('state')],
    ['two states', (url) => url.searchParams.append('state', 'x'.repeat(43))],
  ])('with %s is nobody', async (_, change) => {
    const { url, cookie } = await begin('/audit');
    const landing = await provider.visit(url, (await makePerson()).subject);
    change(landing);

    const answer = await land(landing, cookie);

    expect(toReason(answer)).toMatch(/=(?:expired|failed)$/);
    expect(findSet(answer, '__Host-heliograph')).toBeUndefined();
    expect(answer.headers.get('location')).toContain(`${CONSOLE}/audit#`);
  });

  test.each([
    ['no cookie', () => ''],
    ["somebody else's cookie", async () => (await begin()).cookie],
    ['a cookie that is none', () => `${SECURE_ATTEMPT_COOKIE}=${'x'.repeat(300)}`],
  ])('with %s is nobody: a link that somebody sends signs nobody in', async (_, findCookie) => {
    const { url } = await begin();
    const landing = await provider.visit(url, (await makePerson()).subject);

    expectRefused(await land(landing, await findCookie()), 'expired');
  });

  test('comes once: whoever finds the address and the cookie later is refused at every server', async () => {
    const { url, cookie } = await begin();
    const landing = await provider.visit(url, (await makePerson()).subject);

    const first = await land(landing, cookie);
    const again = [await land(landing, cookie), await land(landing, cookie, { at: replica })];

    expect(toReason(first)).toBe('');
    for (const answer of again) expectRefused(answer, 'expired');
  });

  test('with a code that was used, as the provider says, is refused', async () => {
    const { url, cookie } = await begin();
    const landing = await provider.visit(url, (await makePerson()).subject);
    const elsewhere = await openTestApi({ auth: 'on', console: withOpenId() });
    const shared = attemptOf(cookie);

    await land(landing, cookie);
    const answer = await land(landing, toCookie(elsewhere, shared), { at: elsewhere });
    await elsewhere.close();

    expectRefused(answer, 'expired');
  });

  test('too late is refused', async () => {
    const { url, cookie } = await begin();
    const landing = await provider.visit(url, (await makePerson()).subject);
    const later = await openTestApi({
      auth: 'on',
      beside: api,
      console: withOpenId(),
      now: () => new Date(Date.now() + 601_000),
    });

    const answer = await land(landing, cookie, { at: later });
    await later.close();

    expectRefused(answer, 'expired');
  });

  test('with the nonce of another sign-in is refused', async () => {
    const { url, cookie } = await begin();
    const landing = await provider.visit(url, (await makePerson()).subject);

    const answer = await land(landing, toCookie(api, { ...attemptOf(cookie), nonce: 'other' }));

    expectRefused(answer, 'failed');
  });

  test('without the verifier of the one who began is refused', async () => {
    const { url, cookie } = await begin();
    const landing = await provider.visit(url, (await makePerson()).subject);
    const attempt = { ...attemptOf(cookie), codeVerifier: 'x'.repeat(43) };

    expectRefused(await land(landing, toCookie(api, attempt)), 'expired');
  });

  test.each<[string, (url: URL) => void]>([
    ['of another issuer', (url) => url.searchParams.set('iss', 'https://evil.example')],
    ['of none', (url) => url.searchParams.delete('iss')],
  ])('with an answer %s is refused', async (_, change) => {
    const { url, cookie } = await begin();
    const landing = await provider.visit(url, (await makePerson()).subject);
    change(landing);

    expectRefused(await land(landing, cookie), 'failed');
  });

  test('is refused where the provider did not sign who it is', async () => {
    const other = await openTestApi({ auth: 'on', beside: api, console: withOpenId() });
    const person = await makePerson();
    await provider.misbehave({ otherKeys: true });

    const answer = await signIn(person, { at: other });
    await provider.misbehave();
    await other.close();

    expectRefused(answer, 'failed');
    expect(await find(person)).toBeUndefined();
  });

  test('who would rather not is told so, in no words of the provider', async () => {
    const { url, cookie } = await begin('/apps');
    const landing = await provider.visit(url);

    const answer = await land(landing, cookie);

    expectRefused(answer, 'denied');
    expect(landing.search).toContain('thank+you');
    expect(answer.headers.get('location')).toBe(`${CONSOLE}/apps${because('denied')}`);
    expect(answer.text).toBe('');
  });
});

/** What a cookie of `api` holds. */
function attemptOf(cookie: string) {
  const sealed = Buffer.from(cookie.split('=')[1] ?? '', 'base64url');
  const place = { table: 'console', column: 'oidc_attempt', row: '' };
  return JSON.parse(api.secrets.open(sealed, place).toString()) as Parameters<
    typeof toAttemptCookie
  >[0];
}

function toCookie(at: TestApi, attempt: ReturnType<typeof attemptOf>): string {
  return toAttemptCookie(attempt, at.secrets, 'https').split(';')[0] ?? '';
}

describe('a user who signs in by OpenID Connect', () => {
  test('has the role that the provider says at each sign-in; with another one, other sessions end', async () => {
    const person = await makePerson(['sender']);
    const first = await signIn(person);
    const same = await signIn(person);
    expect(await whoIs(first, replica)).toMatchObject({ role: 'sender' });

    await provider.setClaims(person.subject, { preferred_username: 'renamed', roles: ['viewer'] });
    const second = await signIn(person);

    expect(await whoIs(second)).toMatchObject({ name: person.name, role: 'viewer' });
    await eventually(async () => {
      for (const answer of [first, same])
        for (const at of [api, replica])
          expect(await whoIs(answer, at)).toMatchObject({ message: expect.any(String) as string });
    });
    expect(await whoIs(second)).toMatchObject({ role: 'viewer' });
  });

  test.each([
    ['none', undefined],
    ['an unknown one', ['owner' as Role]],
  ])('is refused with the role %s, and not made', async (_, roles) => {
    const person = await makePerson();
    await provider.setClaims(person.subject, { roles });

    expectRefused(await signIn(person), 'no_role');
    expect(await find(person)).toBeUndefined();
  });

  test('is signed out everywhere when the provider gives no role any more', async () => {
    const person = await makePerson(['admin']);
    const before = await signIn(person);
    await provider.setClaims(person.subject, { preferred_username: person.name });

    const answer = await signIn(person);

    expectRefused(answer, 'no_role');
    await eventually(async () =>
      expect(await whoIs(before)).toMatchObject({ message: expect.any(String) as string }),
    );
    expect(await auditOf(person.name)).toMatchObject([
      { outcome: 'unauthenticated', objects: { way: 'oidc' } },
      { outcome: 'ok' },
    ]);
  });

  test('gets the role by the values that are set, under the claim that is set', async () => {
    const mapped = await openTestApi({
      auth: 'on',
      beside: api,
      console: withOpenId({ roleClaim: 'email', roles: new Map([['ops@example.com', 'admin']]) }),
    });
    const person = await makePerson(['viewer'], { email: 'ops@example.com' });

    const answer = await signIn(person, { at: mapped });
    await mapped.close();

    expect(await whoIs(answer)).toMatchObject({ role: 'admin' });
  });

  test('does not sign in while disabled, and does again afterwards', async () => {
    const person = await makePerson();
    await signIn(person);
    const ask = (verb: string) =>
      api.call('POST', `/admin/user/${verb}`, { requestObject: { name: person.name } }, admin);

    expect((await ask('disable')).status).toBe(200);
    const refused = await signIn(person);
    expect((await ask('enable')).status).toBe(200);
    const allowed = await signIn(person);

    expectRefused(refused, 'disabled');
    expect(await whoIs(allowed)).toMatchObject({ name: person.name });
    const ours = (await auditOf(person.name)).map(({ outcome }) => outcome);
    expect(ours).toEqual(['ok', 'unauthenticated', 'ok']);
  });

  test('is another one than a user of the same name who has a password, and than others of the provider', async () => {
    const name = await makeUser(api.db, { role: 'admin' });
    const [one, other] = [
      await makePerson(['viewer'], { preferred_username: name.toUpperCase() }),
      await makePerson(['viewer'], { preferred_username: name }),
    ];

    const answers = [await signIn(one), await signIn(other), await signIn(one)];

    expect(await Promise.all(answers.map(async (answer) => (await whoIs(answer))['name']))).toEqual(
      [`${name}-2`, `${name}-3`, `${name}-2`],
    );
    expect(await listed(name)).toMatchObject({ role: 'admin', signInWay: 'password' });
  });

  test('is made once by two first sign-ins at the same time', async () => {
    const person = await makePerson();

    const answers = await Promise.all([signIn(person), signIn(person, { at: replica })]);

    expect(answers.map(toReason)).toEqual(['', '']);
    for (const answer of answers) expect(await whoIs(answer)).toMatchObject({ name: person.name });
  });

  test('is made anew when removed', async () => {
    const person = await makePerson();
    const before = await signIn(person);
    const { id } = (await find(person)) ?? {};

    await removeConsoleUser(api.db, person.name);
    await signIn(person);

    expect((await find(person))?.id).not.toBe(id);
    await eventually(async () =>
      expect(await whoIs(before)).toMatchObject({ message: expect.any(String) as string }),
    );
  });

  test('signs in by no password, which is as wrong as any', async () => {
    const person = await makePerson();
    await signIn(person);
    const local = await makeUser(api.db);
    const looked: unknown[] = [];
    const passwords = {
      isBusy: () => false,
      isWeak: () => false,
      hash: async () => 'hash',
      async verify(hash: string | undefined) {
        looked.push(hash);
        return false;
      },
    };
    const watched = await openTestApi({
      auth: 'on',
      beside: api,
      console: { bounds: NO_BOUNDS, passwords },
    });
    const ask = (name: string, at: TestApi) =>
      at.call('POST', '/console/session', { requestObject: { name, password: '' } });

    const [refused, wrong] = [await ask(person.name, api), await ask(local, api)];
    await ask(person.name, watched);
    await watched.close();

    expect([refused.status, refused.text]).toEqual([401, wrong.text]);
    // The work of a hash is done as for nobody.
    expect(looked).toEqual([undefined]);
  });

  test('has neither a password nor a role that could be set here', async () => {
    const person = await makePerson();
    const answer = await signIn(person);
    const { csrfToken } = await whoIs(answer);
    const cookie = findSet(answer, '__Host-heliograph') ?? '';
    const { name } = person;
    const ask = (verb: string, more: object) =>
      api.call('POST', `/admin/user/${verb}`, { requestObject: { name, ...more } }, admin);

    const refused = [
      await ask('password', {}),
      await ask('role', { role: 'admin' }),
      await api.call(
        'POST',
        '/console/session/password',
        { requestObject: { password: 'x', newPassword: 'correct horse battery' } },
        { ...HTTPS, cookie, 'x-csrf-token': String(csrfToken) },
      ),
    ];

    expect(refused.map(({ status }) => status)).toEqual([409, 409, 409]);
    for (const { body } of refused)
      expect(body.responseObject.message).toContain('signs in by OpenID Connect');
    expect(await whoIs(answer)).toMatchObject({ role: 'viewer' });
    expect(await changeConsoleUser(api.db, name, { passwordHash: 'x' })).toBe(false);
  });
});

describe('a provider', () => {
  async function listenHttp(answer: (end: () => void) => void) {
    const server = createServer((_req, res) => answer(() => res.writeHead(503).end()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { server, issuer: new URL(`http://127.0.0.1:${port}`) };
  }

  test.each<[string, (end: () => void) => void]>([
    ['says 503', (end) => end()],
    ['says nothing', () => undefined],
  ])('that %s is said to be away; passwords do, and it is looked for again', async (_, answer) => {
    const { server, issuer } = await listenHttp(answer);
    const away = await openTestApi({
      auth: 'on',
      beside: api,
      console: withOpenId({ issuer, timeoutMs: 100 }),
    });

    const tried = [await begin('/apps', { at: away }), await begin('/apps', { at: away })];
    const session = await makeSession(api.db);
    const who = await away.call('GET', '/console/session', undefined, session);
    server.closeAllConnections();
    server.close();
    const gone = await begin('/apps', { at: away });
    await away.close();

    for (const { url } of [...tried, gone])
      expect(url).toBe(`${CONSOLE}/apps${because('unavailable')}`);
    expect(who.status).toBe(200);
  });

  test('that is away when somebody comes back is said to be', async () => {
    const other = await openTestApi({
      auth: 'on',
      beside: api,
      console: withOpenId({ timeoutMs: 300 }),
    });
    const { url, cookie } = await begin('/', { at: other });
    const landing = await provider.visit(url, (await makePerson()).subject);
    await provider.misbehave({ silent: true });

    const answer = await land(landing, cookie, { at: other });
    await provider.misbehave();
    await other.close();

    expectRefused(answer, 'unavailable');
  });

  test('that is another one than is set is none', async () => {
    const issuer = new URL(provider.issuer.replace('localhost', '127.0.0.1'));
    const other = await openTestApi({ auth: 'on', beside: api, console: withOpenId({ issuer }) });

    const { url } = await begin('/', { at: other });
    await other.close();

    expect(url).toBe(`${CONSOLE}/${because('unavailable')}`);
  });

  test('that does not take our secret fails, and the log says why, without it or a token', async () => {
    const log: Record<string, unknown>[] = [];
    const other = await openTestApi({
      auth: 'on',
      beside: api,
      console: withOpenId({ clientSecret: 'a wrong secret' }),
      log: createLogger('test', 'warn', {
        write: (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>),
      }),
    });

    const answer = await signIn(await makePerson(), { at: other });
    await other.close();

    expectRefused(answer, 'failed');
    expect(log).toMatchObject([
      {
        msg: 'sign-in by OpenID Connect failed',
        reason: 'failed',
        problem: expect.stringContaining('invalid_client') as string,
      },
    ]);
    expect(JSON.stringify([log, logged])).not.toMatch(/a wrong secret|eyJ|code=/);
  });
});
