import { randomUUID } from 'node:crypto';

import { allows, ROLES, SCOPES, toScopes, type Role, type Scope } from '@heliograph/core';
import { sql } from 'kysely';

import { REQUESTS, type RequestEntry } from '../../test/access/requests.ts';
import { makeSession, type SessionHeaders } from '../../test/access/session.ts';
import { makeKey, makeWorld, toNobody, type Names } from '../../test/access/world.ts';
import { openTestApi, type TestApi } from '../../test/open-test-api.ts';
import type { EndpointDoc, Method } from '../http/endpoint.ts';
import { ENDPOINTS } from '../surfaces/powerauth/endpoints.ts';
import { powerAuthRoutes, type PowerAuthDeps } from '../surfaces/powerauth/routes.ts';

/*
 * Every route × every scope × a key of this app, of another one, and of all; and every route × every role × a user of this app, and of all. A route that nobody thought of has no entry in REQUESTS, and
 * fails here.
 */

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi({ auth: 'on', maxWatches: 1000 });
});
afterAll(() => api.close());

interface Operation {
  readonly doc: EndpointDoc;
  readonly method: Method | 'head';
  readonly path: string;
}

const OPERATIONS: readonly Operation[] = ENDPOINTS.flatMap((doc) =>
  doc.paths.flatMap((path) =>
    doc.methods
      .flatMap((method) => (method === 'get' ? [method, 'head' as const] : [method]))
      .map((method) => ({ doc, method, path })),
  ),
);

const NAMED = OPERATIONS.map((operation) => ({
  name: `${operation.method} ${operation.path}`,
  ...operation,
}));
const CLOSED = NAMED.filter(({ doc }) => doc.scope !== 'open');

function entryOf({ methods, paths }: EndpointDoc): RequestEntry {
  const name = `${methods[0]} ${paths[0]}`;
  const entry = REQUESTS[name];
  if (entry === undefined) throw new Error(`${name} has no entry in test/access/requests.ts`);
  return entry;
}

interface Seen {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function ask(
  { doc, method, path }: Operation,
  names: Names,
  key: string | SessionHeaders | undefined,
): Promise<Seen> {
  const { input = () => ({}), path: toId } = entryOf(doc);
  const id = toId?.(names) ?? String(names.campaignId);
  const fields = input(names);
  const query =
    doc.from === 'query' ? `?${new URLSearchParams(fields as Record<string, string>)}` : '';
  const headers = {
    ...(typeof key === 'string' ? { authorization: `Bearer ${key}` } : key),
    ...(doc.from === 'body' && { 'content-type': 'application/json' }),
  };
  const aborter = new AbortController();
  const answer = await fetch(api.url + path.replace(':id', id) + query, {
    method: method.toUpperCase(),
    headers,
    signal: aborter.signal,
    ...(doc.from === 'body' && { body: JSON.stringify({ requestObject: fields }) }),
  });
  const isStream = answer.headers.get('content-type') === 'text/event-stream';
  const text = isStream ? 'a stream' : await answer.text();
  aborter.abort();
  return { status: answer.status, text, headers: answer.headers };
}

/** What can be compared: the number that the caller named itself comes back in some answers. */
function toComparable({ status, text }: Seen): unknown {
  return { status, text: text.replace(/"campaignId":\d+/, '') };
}

interface ScopedKey {
  readonly scope: Scope;
  readonly bound: string;
  readonly global: string;
}

/** Keys with one scope each, of one app and of all. */
async function makeKeys(names: Names, scopes: readonly Scope[]): Promise<readonly ScopedKey[]> {
  const keys: ScopedKey[] = [];
  for (const scope of scopes)
    keys.push({
      scope,
      bound: (await makeKey(api.db, { scopes: [scope], appRef: names.rowId })).text,
      global: (await makeKey(api.db, { scopes: [scope] })).text,
    });
  return keys;
}

interface RoleSession {
  readonly role: Role;
  readonly bound: SessionHeaders;
  readonly global: SessionHeaders;
}

/** Users of each role who are signed in, of one app and of all. */
async function makeSessions(names: Names): Promise<readonly RoleSession[]> {
  const sessions: RoleSession[] = [];
  for (const role of ROLES)
    sessions.push({
      role,
      bound: await makeSession(api.db, { role, appRef: names.rowId }),
      global: await makeSession(api.db, { role }),
    });
  return sessions;
}

function mayUse({ doc }: Operation, role: Role): boolean {
  return doc.scope === 'open' || allows(toScopes(role), doc.scope);
}

function isAllowed({ doc }: Operation, scope: Scope): boolean {
  return doc.scope === 'open' || allows([scope], doc.scope);
}

async function makeWorlds(
  prepare?: RequestEntry['prepare'],
): Promise<{ own: Names; other: Names }> {
  const userId = randomUUID();
  const own = await makeWorld(api.db, userId);
  const other = await makeWorld(api.db, userId);
  await prepare?.(api.db, own);
  await prepare?.(api.db, other);
  return { own, other };
}

/** A hash of the rows of each table, but for keys and sessions, where it is noted when they are used. */
async function digest(): Promise<Record<string, string>> {
  const { rows: tables } = await sql<{ name: string }>`
    SELECT relname AS name FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
      AND relname NOT IN ('api_keys', 'console_sessions')`.execute(api.db);
  const parts = tables.map(
    ({ name }) =>
      sql`SELECT ${name}::text AS name, md5(string_agg(t::text, '|' ORDER BY t::text)) AS sum FROM ${sql.table(name)} t`,
  );
  const { rows } = await sql<{ name: string; sum: string }>`
    ${sql.join(parts, sql` UNION ALL `)}`.execute(api.db);
  return Object.fromEntries(rows.map(({ name, sum }) => [name, sum]));
}

describe('the table of requests', () => {
  test('has an entry for every endpoint, and no other', () => {
    const names = ENDPOINTS.map(({ methods, paths }) => `${methods[0]} ${paths[0]}`);

    expect(Object.keys(REQUESTS).toSorted()).toEqual(names.toSorted());
  });

  test('is about every route that there is', () => {
    const routes = powerAuthRoutes({} as PowerAuthDeps).map(({ doc }) => doc);

    expect(new Set(routes)).toEqual(new Set(ENDPOINTS));
    expect(routes.length).toBe(ENDPOINTS.length);
  });

  test('says of an endpoint that is open to everybody that it is about no app', () => {
    const open = ENDPOINTS.filter(({ scope }) => scope === 'open');

    expect(open.map(({ paths }) => paths[0])).toEqual(['/push/service/status']);
    expect(open.map((doc) => entryOf(doc).kind)).toEqual(['nothing']);
  });
});

test('read lets nobody change anything', () => {
  const readable = ENDPOINTS.filter(({ scope }) => scope !== 'open' && scope.includes('read'));

  expect(readable.length).toBeGreaterThan(10);
  expect(new Set(readable.flatMap(({ methods }) => methods))).toEqual(new Set(['get']));
});

test('everything below /admin takes admin', () => {
  const admin = ENDPOINTS.filter(({ paths }) => paths.some((path) => path.startsWith('/admin')));

  expect(admin.map(({ scope }) => scope)).toEqual(admin.map(() => ['admin']));
});

describe('what is refused changes nothing:', () => {
  let own: Names;
  let other: Names;
  let keys: readonly ScopedKey[];
  let sessions: readonly RoleSession[];
  let boundToOwn: string;
  let before: Record<string, string>;

  beforeAll(async () => {
    ({ own, other } = await makeWorlds());
    keys = await makeKeys(own, SCOPES);
    sessions = await makeSessions(own);
    boundToOwn = (await makeKey(api.db, { appRef: own.rowId })).text;
    before = await digest();
  });

  test.each(CLOSED)('$name to callers without a key, or with another scope', async (operation) => {
    const refused = keys.filter(({ scope }) => !isAllowed(operation, scope));

    const stranger = await ask(operation, own, undefined);
    const answers = await Promise.all(
      refused.flatMap(({ bound, global }) => [
        ask(operation, own, bound),
        ask(operation, own, global),
      ]),
    );

    expect(stranger.status).toBe(401);
    expect(stranger.headers.get('www-authenticate')).toMatch(/^Basic realm=.*Bearer realm=/);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 403));
    expect(await digest()).toEqual(before);
  });

  test.each(CLOSED)('$name to users without a role for it', async (operation) => {
    const refused = sessions.filter(({ role }) => !mayUse(operation, role));

    const answers = await Promise.all(
      refused.flatMap(({ bound, global }) => [
        ask(operation, own, bound),
        ask(operation, own, global),
      ]),
    );

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 403));
    expect(await digest()).toEqual(before);
  });

  test.each(CLOSED)(
    '$name by the cookie of a session alone, unless it only looks',
    async (operation) => {
      const { global } = sessions[ROLES.indexOf('admin')] ?? {};
      const cookie = global?.['cookie'] ?? '';
      const isSafe = operation.method === 'get' || operation.method === 'head';

      const answer = await ask(operation, own, { cookie });

      expect(answer.status === 403).toBe(!isSafe);
      if (!isSafe) expect(await digest()).toEqual(before);
    },
  );

  test.each(ofKind('thing'))(
    "$name of another app's to a user of this one, and tells nobody that it is there",
    async (operation) => {
      const unknown = {
        ...toNobody(),
        ...(operation.doc.tag === 'Inbox' && { userId: other.userId }),
      };
      const { bound } = sessions[ROLES.indexOf('admin')] ?? {};

      const foreign = await ask(operation, other, bound);
      const nothing = await ask(operation, unknown, bound);

      expect(toComparable(foreign)).toEqual(toComparable(nothing));
      expect(await digest()).toEqual(before);
    },
  );

  test.each(ofKind('thing'))(
    "$name of another app's, and tells nobody that it is there",
    async (operation) => {
      const unknown = {
        ...toNobody(),
        ...(operation.doc.tag === 'Inbox' && { userId: other.userId }),
      };

      const foreign = await ask(operation, other, boundToOwn);
      const nothing = await ask(operation, unknown, boundToOwn);

      expect(toComparable(foreign)).toEqual(toComparable(nothing));
      expect(foreign.status === 200).toBe(entryOf(operation.doc).missingIsFine ?? false);
      expect(await digest()).toEqual(before);
    },
  );

  test.each(ofKind('every_app'))('$name to whoever is bound to an app', async (operation) => {
    const answer = await ask(operation, own, boundToOwn);

    expect(answer.status).toBe(403);
    expect(await digest()).toEqual(before);
  });
});

test.each(CLOSED)('$name lets in every key that has a scope for it', async (operation) => {
  const { kind, prepare } = entryOf(operation.doc);
  const { own } = await makeWorlds(prepare);
  const keys = await makeKeys(
    own,
    SCOPES.filter((scope) => isAllowed(operation, scope)),
  );

  for (const { bound, global } of keys)
    for (const key of kind === 'every_app' ? [global] : [bound, global])
      expect([401, 403, 500]).not.toContain((await ask(operation, own, key)).status);
  expect(keys.length).toBeGreaterThan(0);
});

test.each(CLOSED)('$name lets in every user whose role is for it', async (operation) => {
  const { kind, prepare } = entryOf(operation.doc);
  const { own } = await makeWorlds(prepare);
  const allowed = (await makeSessions(own)).filter(({ role }) => mayUse(operation, role));

  for (const { bound, global } of allowed)
    for (const session of kind === 'every_app' ? [global] : [bound, global])
      expect([401, 403, 500]).not.toContain((await ask(operation, own, session)).status);
  expect(allowed.length).toBeGreaterThan(0);
});

test.each(ofKind('thing'))(
  "$name does to one's own what a key for all apps does",
  async (operation) => {
    const { own, other } = await makeWorlds(entryOf(operation.doc).prepare);
    const bound = (await makeKey(api.db, { appRef: own.rowId })).text;
    const global = (await makeKey(api.db)).text;
    const before = await digest();

    const mine = await ask(operation, own, bound);
    const after = await digest();
    const all = await ask(operation, other, global);

    expect(mine.status).toBe(all.status);
    // That it was done shows in the answer, or in the rows.
    const nothing = await ask(operation, toNobody(), bound);
    if (toText(mine) === toText(nothing) && operation.method !== 'head')
      expect(after).not.toEqual(before);
  },
);

test.each(ofKind('list'))(
  '$name shows what is of the app that the key is bound to, and all to a key for all',
  async (operation) => {
    const { own, other } = await makeWorlds(entryOf(operation.doc).prepare);
    const bound = (await makeKey(api.db, { appRef: own.rowId })).text;
    const global = (await makeKey(api.db)).text;

    const [mine, all] = [await ask(operation, own, bound), await ask(operation, own, global)];

    expect([mine.status, all.status]).toEqual([200, 200]);
    if (operation.method === 'head') return;
    const shows = ({ text }: Seen) => [own.appId, other.appId].map((appId) => text.includes(appId));
    expect([shows(mine), shows(all)]).toEqual([
      [true, false],
      [true, true],
    ]);
  },
);

function ofKind(kind: RequestEntry['kind']): typeof CLOSED {
  return CLOSED.filter(({ doc }) => entryOf(doc).kind === kind);
}

function toText(seen: Seen): string {
  return JSON.stringify(toComparable(seen));
}
