import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';

import { findConsoleUserToSignIn, listAudit, saveOpenIdUser } from '@heliograph/db';
import { createPasswords } from '@heliograph/runtime/passwords';
import { makeApp, useTestDatabase } from '@heliograph/testing';

import { runCli } from '../cli.ts';
import { readSecret } from '../read-secret.ts';

const database = useTestDatabase();
const passwords = createPasswords();
const PASSWORD = 'correct horse battery';

interface RunOptions {
  /** What is typed; on a terminal where there are two. */
  readonly typed?: readonly string[];
  readonly file?: string;
}

async function run(args: readonly string[], { typed = [], file }: RunOptions = {}) {
  let [out, err] = ['', ''];
  const rest = [...typed];
  const code = await runCli(['users', ...args], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    errIsTerminal: false,
    inIsTerminal: typed.length > 1,
    async readSecret() {
      const next = rest.shift();
      if (next === undefined) throw new Error('nothing is typed');
      return next;
    },
    env: { DATABASE_URL: database.url },
    readFile() {
      if (file === undefined) throw new Error('ENOENT');
      return Buffer.from(file);
    },
    now: () => new Date('2026-01-01T00:00:00Z'),
  });
  return { code, out, err };
}

async function create(...options: string[]): Promise<string> {
  const name = randomUUID();
  const { code } = await run(['create', '--name', name, '--role', 'viewer', ...options], {
    typed: [PASSWORD],
  });
  expect(code).toBe(0);
  return name;
}

async function fits(name: string, password: string): Promise<boolean> {
  const user = await findConsoleUserToSignIn(database.db, name);
  return passwords.verify(user?.passwordHash ?? undefined, password);
}

const listed = async (name: string) =>
  (await run(['list'])).out.split('\n').find((line) => line.startsWith(`${name}  `));

describe('heliograph users create', () => {
  test('makes a user with the first line of the input as password', async () => {
    const appRef = await makeApp(database.db);
    const { appId } = await database.db
      .selectFrom('apps')
      .select('appId')
      .where('id', '=', appRef)
      .executeTakeFirstOrThrow();

    const name = await create('--app', appId);

    expect(await listed(name)).toBe(
      `${name}  active  viewer  application ${appId}  password  signed in never`,
    );
    expect([await fits(name, PASSWORD), await fits(name, 'another')]).toEqual([true, false]);
    expect(await listAudit(database.db, { appRef, before: undefined, limit: 10 })).toMatchObject([
      {
        actor: 'command line',
        action: 'admin.user.create',
        outcome: 'ok',
        objects: { name, role: 'viewer' },
      },
    ]);
  });

  test('asks twice on a terminal', async () => {
    const name = randomUUID();
    const args = ['create', '--name', name, '--role', 'admin'];

    const different = await run(args, { typed: [PASSWORD, `${PASSWORD}!`] });
    const same = await run(args, { typed: [PASSWORD, PASSWORD] });

    expect(different).toMatchObject({ code: 1, err: 'These were two passwords.\n' });
    expect(same).toMatchObject({ code: 0, out: '' });
    expect(await listed(name)).toContain('admin  every application');
  });

  test('takes the password from a file, or makes one and prints it alone', async () => {
    const [one, other] = [randomUUID(), randomUUID()];

    const fromFile = await run(
      ['create', '--name', one, '--role', 'editor', '--password-file', 'f'],
      {
        file: `${PASSWORD}\r\nmore\n`,
      },
    );
    const generated = await run(['create', '--name', other, '--role', 'sender', '--generate']);

    expect(fromFile).toMatchObject({ code: 0, out: '' });
    expect(await fits(one, PASSWORD)).toBe(true);
    expect(generated.out).toMatch(/^[\w-]{24}\n$/);
    expect(await fits(other, generated.out.trim())).toBe(true);
  });

  test('says so where the name is taken, whatever its case', async () => {
    const name = await create();

    const again = await run([
      'create',
      '--name',
      name.toUpperCase(),
      '--role',
      'admin',
      '--generate',
    ]);

    expect(again).toMatchObject({ code: 1, out: '' });
    expect(again.err).toContain('already');
    expect(await listed(name)).toContain('viewer');
  });

  test.each([
    [['create', '--role', 'viewer'], '--name is missing'],
    [['create', '--name', 'x'], '--role is missing'],
    [['create', '--name', 'x y', '--role', 'viewer'], 'x y is no name'],
    [['create', '--name', 'x', '--role', 'root'], 'There is no role root'],
    [['create', '--name', 'x', '--role', 'viewer', '--password', 'y'], 'password'],
    [
      ['create', '--name', 'x', '--role', 'viewer', '--generate', '--password-file', 'f'],
      'too many',
    ],
    [['set-role', 'x'], 'Name one user and the role'],
    [['set-role', 'x', 'root'], 'There is no role root'],
    [['set-password'], 'Name one user'],
    [['remove', 'x', 'y'], 'Name one user'],
    [['destroy'], 'Say create, list, set-role'],
    [[], 'Say create, list, set-role'],
  ])('refuses %j', async (args, words) => {
    const { code, out, err } = await run(args);

    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(words);
    expect(err).toContain('Usage: heliograph users');
  });

  test('fails for a password that is too short, a file and an application that there is not', async () => {
    const args = ['create', '--name', 'x', '--role', 'viewer'];

    const failures = [
      await run(args, { typed: ['short'] }),
      await run([...args, '--password-file', 'f']),
      await run([...args, '--generate', '--app', 'nowhere']),
    ];

    expect(failures).toEqual([
      { code: 1, out: '', err: 'That is no password: a password has 12 to 256 characters.\n' },
      { code: 1, out: '', err: "The file f can't be read.\n" },
      { code: 1, out: '', err: 'There is no application nowhere.\n' },
    ]);
  });
});

describe('heliograph users', () => {
  test('changes role and password, disables, enables and removes', async () => {
    const name = await create();
    const seen = [];

    expect((await run(['set-role', name.toUpperCase(), 'sender'])).code).toBe(0);
    seen.push(await listed(name));
    expect((await run(['set-password', name], { typed: [`${PASSWORD}!`] })).code).toBe(0);
    expect([await fits(name, PASSWORD), await fits(name, `${PASSWORD}!`)]).toEqual([false, true]);
    expect((await run(['disable', name])).code).toBe(0);
    seen.push(await listed(name));
    expect((await run(['enable', name])).code).toBe(0);
    seen.push(await listed(name));
    expect((await run(['remove', name])).code).toBe(0);
    seen.push(await listed(name));

    const rest = 'sender  every application  password  signed in never';
    expect(seen).toEqual([
      `${name}  active  ${rest}`,
      `${name}  disabled  ${rest}`,
      `${name}  active  ${rest}`,
      undefined,
    ]);
    const entries = await listAudit(database.db, {
      appRef: undefined,
      before: undefined,
      limit: 50,
    });
    expect(
      entries.filter(({ objects }) => objects['name'] === name).map(({ action }) => action),
    ).toEqual([
      'admin.user.remove',
      'admin.user.enable',
      'admin.user.disable',
      'admin.user.password',
      'admin.user.role',
      'admin.user.create',
    ]);
    expect(JSON.stringify(entries)).not.toContain(PASSWORD);
  });

  test('shows who signs in by OpenID Connect, gives them neither role nor password, and disables them', async () => {
    const name = randomUUID();
    const identity = { issuer: 'https://id.example.com', subject: name };
    await saveOpenIdUser(database.db, { identity, role: 'viewer', names: [name] });

    const refused = [
      await run(['set-role', name, 'admin']),
      await run(['set-password', name, '--generate']),
    ];
    const disabled = await run(['disable', name]);

    const err = `The user ${name} signs in by OpenID Connect: the provider says the role, and knows the password.\n`;
    expect(refused).toEqual([
      { code: 1, out: '', err },
      { code: 1, out: '', err },
    ]);
    expect(disabled.code).toBe(0);
    expect(await listed(name)).toBe(
      `${name}  disabled  viewer  every application  OpenID Connect  signed in never`,
    );
  });

  test.each([
    ['set-role', 'nobody', 'admin'],
    ['disable', 'nobody'],
    ['enable', 'nobody'],
    ['remove', 'nobody'],
  ])('fails for a user that there is not: %s', async (...args) => {
    expect(await run(args)).toEqual({ code: 1, out: '', err: 'There is no user nobody.\n' });
  });
});

describe('what is read where there is no terminal', () => {
  test('is a line each time', async () => {
    const input = new PassThrough();
    const said = new PassThrough();
    input.end('one\ntwo\r\n');

    const lines = [await readSecret('?', input, said), await readSecret('?', input, said)];

    expect(lines).toEqual(['one', 'two']);
    expect(said.read()).toBeNull();
    await expect(readSecret('?', input, said)).rejects.toThrow('There is no password to read.');
  });
});
