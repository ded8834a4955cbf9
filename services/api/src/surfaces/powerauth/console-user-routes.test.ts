import { randomUUID } from 'node:crypto';

import { listAudit } from '@heliograph/db';
import { eventually } from '@heliograph/testing';

import { makeSession } from '../../../test/access/session.ts';
import { makeKey, makeWorld } from '../../../test/access/world.ts';
import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
let admin: Record<string, string>;
beforeAll(async () => {
  api = await openTestApi({ auth: 'on' });
  admin = { authorization: `Bearer ${(await makeKey(api.db)).text}` };
});
afterAll(() => api.close());

interface Made {
  readonly name: string;
  readonly password: string | null;
}

const ask = (verb: string, requestObject: object, headers: Record<string, string> = admin) =>
  api.call('POST', `/admin/user/${verb}`, { requestObject }, headers);
const signIn = async (name: string, password: string) =>
  (await api.call('POST', '/console/session', { requestObject: { name, password } })).status;

async function create(more: object = {}): Promise<Made> {
  const answer = await ask('create', { name: randomUUID(), role: 'viewer', ...more });
  expect(answer.status).toBe(200);
  return answer.body.responseObject as unknown as Made;
}

async function listed(name: string, headers: Record<string, string> = admin): Promise<unknown> {
  const { body } = await api.call('GET', '/admin/user/list', undefined, headers);
  const { userList } = body.responseObject as unknown as { userList: readonly Made[] };
  return userList.find((user) => user.name === name);
}

describe('/admin/user', () => {
  test('makes a user with a password of its own, or with the one that is given', async () => {
    const generated = await create();
    const given = await create({ password: 'correct horse battery' });

    expect(generated.password).toMatch(/^[\w-]{24}$/);
    expect(given.password).toBeNull();
    expect(await signIn(generated.name, generated.password ?? '')).toBe(200);
    expect(await signIn(given.name, 'correct horse battery')).toBe(200);
    expect(await listed(generated.name)).toEqual({
      name: generated.name,
      role: 'viewer',
      appId: null,
      disabled: false,
      signInWay: 'password',
      timestampCreated: expect.any(String),
      timestampLastSignIn: expect.any(String),
    });
  });

  test('changes role and password, disables, enables and removes', async () => {
    const { name } = await create();

    expect((await ask('role', { name, role: 'sender' })).status).toBe(200);
    expect(await listed(name)).toMatchObject({ role: 'sender' });
    const changed = await ask('password', { name });
    const { password } = changed.body.responseObject as unknown as Made;
    expect(await signIn(name, password ?? '')).toBe(200);
    expect((await ask('disable', { name })).status).toBe(200);
    expect(await signIn(name, password ?? '')).toBe(401);
    expect(await listed(name)).toMatchObject({ disabled: true });
    expect((await ask('enable', { name })).status).toBe(200);
    expect(await signIn(name, password ?? '')).toBe(200);
    expect((await ask('remove', { name })).status).toBe(200);
    expect(await listed(name)).toBeUndefined();
    expect(await signIn(name, password ?? '')).toBe(401);
  });

  test('ends the sessions of the user', async () => {
    const name = randomUUID();
    const session = await makeSession(api.db, { name });
    const who = async () => (await api.call('GET', '/console/session', undefined, session)).status;
    expect(await who()).toBe(200);

    await ask('role', { name, role: 'viewer' });

    await eventually(async () => expect(await who()).toBe(401));
  });

  test.each([
    [{ name: 'a b' }, 'requestObject.name is none'],
    [{ role: 'root' }, 'requestObject.role'],
    [{ password: 'short' }, 'a password has 12 to 256 characters'],
    [{ appId: 'nowhere' }, 'There is no such application'],
  ])('refuses %j', async (more, words) => {
    const answer = await ask('create', { name: randomUUID(), role: 'viewer', ...more });

    expect(answer.status).toBe(400);
    expect(answer.body.responseObject.message).toContain(words);
  });

  test('refuses a name that is taken, whatever its case', async () => {
    const { name } = await create();

    expect((await ask('create', { name: name.toUpperCase(), role: 'admin' })).status).toBe(409);
  });

  test('is recorded, without the password', async () => {
    const { name, password } = await create();

    const entries = await listAudit(api.db, { appRef: undefined, before: undefined, limit: 100 });
    const [entry] = entries.filter(({ objects }) => objects['name'] === name);
    expect(entry).toMatchObject({
      action: 'admin.user.create',
      outcome: 'ok',
      objects: { name, role: 'viewer' },
    });
    expect(JSON.stringify(entries)).not.toContain(password);
  });

  test('is for a user who is admin of one application: of its users, and no others', async () => {
    const own = await makeWorld(api.db, randomUUID());
    const other = await makeWorld(api.db, randomUUID());
    const everywhere = await create();
    const session = await makeSession(api.db, { appRef: own.rowId });
    const name = randomUUID();

    const made = await ask('create', { name, role: 'admin' }, session);
    const refused = [
      await ask('create', { name: randomUUID(), role: 'viewer', appId: other.appId }, session),
      await ask('role', { name: everywhere.name, role: 'admin' }, session),
      await ask('remove', { name: other.consoleUser }, session),
      await ask('remove', { name: randomUUID() }, session),
    ];

    expect(made.status).toBe(200);
    expect(await listed(name)).toMatchObject({ appId: own.appId, role: 'admin' });
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
    expect(await listed(other.consoleUser, session)).toBeUndefined();
    expect(await listed(other.consoleUser)).toBeDefined();
  });
});
