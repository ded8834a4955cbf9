import { hashApiSecret, parseApiKey } from '@heliograph/core';
import { makeApp, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import {
  findApiKeys,
  insertApiKey,
  listApiKeys,
  noteApiKeysUsed,
  revokeApiKey,
  type NewApiKey,
} from './api-keys.ts';

const database = useTestDatabase();

const KEY: NewApiKey = {
  name: 'a backend',
  scopes: ['send', 'read'],
  appRef: null,
  ratePerSecond: null,
  expiresAt: null,
};

async function lastUseOf(id: string): Promise<Date | null | undefined> {
  return (await listApiKeys(database.db, undefined)).find((key) => key.id === id)?.lastUsedAt;
}

describe('a key', () => {
  test('is found with the hash of its secret, and the app that it is bound to', async () => {
    const { db } = database;
    const appRef = await makeApp(db);
    const { id, text } = await insertApiKey(db, { ...KEY, appRef, ratePerSecond: 2.5 });

    const [found, ...others] = await findApiKeys(db, [id, 'another']);

    expect(others).toEqual([]);
    expect(found).toEqual({
      id,
      name: 'a backend',
      secretHash: hashApiSecret(parseApiKey(`Bearer ${text}`)?.secret ?? ''),
      scopes: ['send', 'read'],
      app: { ref: appRef, appId: expect.any(String) },
      ratePerSecond: 2.5,
      expiresAt: null,
    });
  });

  test('is for every app where it is bound to none', async () => {
    const { id } = await insertApiKey(database.db, KEY);

    expect(await findApiKeys(database.db, [id])).toMatchObject([{ id, app: null }]);
  });

  test('is found no more once it is revoked, and listed with the first time', async () => {
    const { id } = await insertApiKey(database.db, KEY);

    const revoked = await revokeApiKey(database.db, id);
    const [first] = (await listApiKeys(database.db, undefined)).filter((key) => key.id === id);
    const again = await revokeApiKey(database.db, id);

    expect([revoked, again]).toEqual([true, true]);
    expect(await findApiKeys(database.db, [id])).toEqual([]);
    expect(await listApiKeys(database.db, undefined)).toContainEqual(first);
    expect(first?.revokedAt).toBeInstanceOf(Date);
  });

  test('that is none can not be revoked', async () => {
    expect(await revokeApiKey(database.db, 'nobody')).toBe(false);
  });

  test('keeps no scope that there is not', async () => {
    const scopes = ['everything'] as unknown as NewApiKey['scopes'];

    await expect(insertApiKey(database.db, { ...KEY, scopes })).rejects.toThrow(/check/);
  });
});

test('keys are listed by app, in the order in which they were made', async () => {
  const { db } = database;
  const appRef = await makeApp(db);
  const first = await insertApiKey(db, { ...KEY, appRef });
  await insertApiKey(db, KEY);
  const second = await insertApiKey(db, { ...KEY, appRef });

  const listed = await listApiKeys(db, appRef);

  expect(listed.map((key) => key.id)).toEqual([first.id, second.id]);
  expect(listed[0]).not.toHaveProperty('secretHash');
});

test('a use is noted, and not again within a minute', async () => {
  const { db } = database;
  const [a, b] = [await insertApiKey(db, KEY), await insertApiKey(db, KEY)];
  await noteApiKeysUsed(db, [a.id]);
  const first = await lastUseOf(a.id);

  await noteApiKeysUsed(db, [a.id, b.id, 'nobody']);

  expect(first).toBeInstanceOf(Date);
  expect(await lastUseOf(a.id)).toEqual(first);
  expect(await lastUseOf(b.id)).toBeInstanceOf(Date);
  await sql`UPDATE api_keys SET last_used_at = now() - interval '1 minute'`.execute(db);
  await noteApiKeysUsed(db, [a.id]);
  expect(await lastUseOf(a.id)).not.toEqual(first);
});
