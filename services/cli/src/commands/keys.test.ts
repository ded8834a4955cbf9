import { findApiKeys, listAudit } from '@heliograph/db';
import { hashApiSecret, parseApiKey } from '@heliograph/core';
import { findAppId, makeApp, useTestDatabase } from '@heliograph/testing';

import { runCli } from '../cli.ts';

const database = useTestDatabase();

async function run(args: readonly string[], env?: Record<string, string>) {
  let [out, err] = ['', ''];
  const code = await runCli(['keys', ...args], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    errIsTerminal: false,
    env: env ?? { DATABASE_URL: database.url },
    readFile() {
      throw new Error('nothing is read');
    },
    now: () => new Date('2026-01-01T00:00:00Z'),
  });
  return { code, out, err };
}

async function create(...options: string[]) {
  const { code, out } = await run([
    'create',
    '--name',
    'a backend',
    '--scopes',
    'send',
    ...options,
  ]);
  expect(code).toBe(0);
  const parts = parseApiKey(`Bearer ${out.trim()}`);
  return { text: out.trim(), id: parts?.id ?? '', secret: parts?.secret ?? '' };
}

async function makeNamedApp() {
  const appRef = await makeApp(database.db);
  const appId = await findAppId(database.db, appRef);
  return { appRef, appId };
}

describe('heliograph keys create', () => {
  test('prints the key alone, and makes it as it was asked for', async () => {
    const { appRef, appId } = await makeNamedApp();

    const { id, secret } = await create(
      '--scopes',
      'send, read,send',
      '--app',
      appId,
      '--expires',
      '2027-01-01',
      '--rate',
      '2.5',
    );

    expect(await findApiKeys(database.db, [id])).toEqual([
      {
        id,
        name: 'a backend',
        secretHash: hashApiSecret(secret),
        scopes: ['send', 'read'],
        app: { ref: appRef, appId },
        ratePerSecond: 2.5,
        expiresAt: new Date('2027-01-01T00:00:00Z'),
      },
    ]);
  });

  test('makes a key for every application unless one is named', async () => {
    const { id } = await create();

    expect(await findApiKeys(database.db, [id])).toMatchObject([
      { app: null, ratePerSecond: null, expiresAt: null },
    ]);
  });

  test('is recorded, without the secret', async () => {
    const { appRef, appId } = await makeNamedApp();
    const { id, secret } = await create('--app', appId);

    const entries = await listAudit(database.db, { appRef, before: undefined, limit: 10 });

    expect(entries).toMatchObject([
      { actor: 'command line', action: 'admin.key.create', outcome: 'ok', objects: { keyId: id } },
    ]);
    expect(JSON.stringify(entries)).not.toContain(secret);
  });

  test.each([
    [['create', '--scopes', 'send'], '--name is missing'],
    [['create', '--name', 'x'], '--scopes is missing'],
    [['create', '--name', 'x', '--scopes', 'send,all'], 'There is no scope all'],
    [['create', '--name', 'x', '--scopes', ''], '--scopes is missing'],
    [['create', '--name', 'x', '--scopes', 'send', '--expires', 'soon'], 'is no date'],
    [['create', '--name', 'x', '--scopes', 'send', '--expires', '2020-01-01'], 'is over already'],
    [['create', '--name', 'x', '--scopes', 'send', '--rate', 'fast'], 'is no number'],
    [['create', '--name', 'x', '--scopes', 'send', '--nonsense'], 'nonsense'],
    [['revoke'], 'Name one key'],
    [['list', '--all'], 'all'],
    [['list', 'x'], "Unexpected argument 'x'"],
    [['destroy'], 'Say create, list or revoke'],
    [[], 'Say create, list or revoke'],
  ])('refuses %j', async (args, words) => {
    const { code, out, err } = await run(args);

    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(words);
    expect(err).toContain('Usage: heliograph keys');
  });

  test('wants a database', async () => {
    const { code, err } = await run(['list'], {});

    expect(code).toBe(1);
    expect(err).toContain('DATABASE_URL');
  });

  test('takes the password of the database from where the services do', async () => {
    const url = new URL(database.url);
    const password = decodeURIComponent(url.password);
    url.password = 'another';

    const [right, wrong] = [
      await run(['list'], { DATABASE_URL: url.href, DATABASE_PASSWORD: password }),
      await run(['list'], { DATABASE_URL: url.href }),
    ];

    expect(right.code).toBe(0);
    expect(wrong).toEqual({ code: 1, out: '', err: expect.stringContaining('password') });
  });

  test('fails for an application that there is not', async () => {
    const { code, out, err } = await run([
      'create',
      '--name',
      'x',
      '--scopes',
      'send',
      '--app',
      'x',
    ]);

    expect([code, out, err]).toEqual([1, '', 'There is no application x.\n']);
  });
});

describe('heliograph keys list', () => {
  test('shows each key without its secret', async () => {
    const { appId } = await makeNamedApp();
    const { id, secret } = await create('--app', appId);
    await create();

    const { out } = await run(['list', '--app', appId]);

    expect(out).toBe(
      `${id}  active  application ${appId}  send  expires never  used never  a backend\n`,
    );
    expect((await run(['list'])).out.split('\n').length).toBeGreaterThan(2);
    expect(out).not.toContain(secret);
  });
});

describe('heliograph keys revoke', () => {
  test('ends a key, by its id or by all of it', async () => {
    const [one, other] = [await create(), await create()];

    const codes = [(await run(['revoke', one.id])).code, (await run(['revoke', other.text])).code];

    expect(codes).toEqual([0, 0]);
    expect(await findApiKeys(database.db, [one.id, other.id])).toEqual([]);
    expect((await run(['list'])).out).toContain(`${one.id}  revoked`);
  });

  test('fails for a key that there is not', async () => {
    const { code, err } = await run(['revoke', 'nobody']);

    expect([code, err]).toEqual([1, 'There is no key nobody.\n']);
  });
});
