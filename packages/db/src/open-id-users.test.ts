import { randomUUID } from 'node:crypto';

import { useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import {
  changeConsoleUser,
  findConsoleUserToSignIn,
  findSignInWay,
  insertConsoleUser,
  listConsoleUsers,
} from './console-users.ts';
import { findOpenIdUser, saveOpenIdUser, type OpenIdIdentity } from './open-id-users.ts';

const database = useTestDatabase();
const issuer = 'https://id.example.com';
const toIdentity = (): OpenIdIdentity => ({ issuer, subject: randomUUID() });

const save = (identity: OpenIdIdentity, names: readonly string[], role = 'viewer' as const) =>
  saveOpenIdUser(database.db, { identity, role, names });
const find = async (name: string) =>
  (await listConsoleUsers(database.db, undefined)).find((user) => user.name === name);

describe('a user of a provider', () => {
  test('is made once, and found by issuer and subject', async () => {
    const [identity, name] = [toIdentity(), randomUUID()];

    const first = await save(identity, [name]);
    const again = await save(identity, ['another name']);

    expect(first).toMatchObject({ kind: 'saved', name });
    expect(again).toEqual(first);
    expect(await findOpenIdUser(database.db, identity)).toMatchObject({ name, disabledAt: null });
    expect(
      await findOpenIdUser(database.db, { ...identity, issuer: 'https://other.example.com' }),
    ).toBeUndefined();
    expect(await find(name)).toMatchObject({ way: 'oidc', role: 'viewer', appId: null });
    expect(await findSignInWay(database.db, name)).toBe('oidc');
    expect((await findConsoleUserToSignIn(database.db, name))?.passwordHash).toBeNull();
  });

  test('is made once by twenty at the same time', async () => {
    const [identity, name] = [toIdentity(), randomUUID()];

    const saved = await Promise.all(
      Array.from({ length: 20 }, () => save(identity, [name, `${name}-2`])),
    );

    expect(new Set(saved.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(await find(`${name}-2`)).toBeUndefined();
  });

  test('gets the first name that nobody has, and none where all are taken', async () => {
    const name = randomUUID();
    const user = { name, passwordHash: 'hash', role: 'admin', appRef: null } as const;
    await insertConsoleUser(database.db, user);

    const other = await save(toIdentity(), [name, `${name}-2`]);
    const nobody = await save(toIdentity(), [name, `${name}-2`]);

    expect([other, nobody]).toMatchObject([
      { kind: 'saved', name: `${name}-2` },
      { kind: 'nameless' },
    ]);
    expect(await find(name)).toMatchObject({ role: 'admin', way: 'password' });
  });

  test('gets no role while disabled', async () => {
    const [identity, name] = [toIdentity(), randomUUID()];
    await save(identity, [name]);
    await changeConsoleUser(database.db, name, { disabledAt: new Date() });

    const saved = await saveOpenIdUser(database.db, { identity, role: 'admin', names: [name] });

    expect(saved).toEqual({ kind: 'disabled', name });
    expect(await find(name)).toMatchObject({ role: 'viewer' });
  });

  test('has no password besides, whoever writes it', async () => {
    const [identity, name] = [toIdentity(), randomUUID()];
    await save(identity, [name]);

    const both = sql`UPDATE console_users SET password_hash = 'x' WHERE name = ${name}`;
    const half = sql`UPDATE console_users SET oidc_subject = NULL WHERE name = ${name}`;
    const neither = sql`UPDATE console_users SET oidc_issuer = NULL, oidc_subject = NULL WHERE name = ${name}`;

    for (const change of [both, half, neither])
      await expect(change.execute(database.db)).rejects.toThrow('console_users_sign_in');
    expect(await changeConsoleUser(database.db, name, { passwordHash: 'x' })).toBe(false);
    expect(await changeConsoleUser(database.db, name, { role: 'admin' })).toBe(false);
  });
});
