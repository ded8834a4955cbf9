import { randomBytes, randomUUID } from 'node:crypto';

import { createSecretBox } from '@heliograph/core';
import { insertDeveloperKey } from '@heliograph/db';
import { makeApp, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { createDeveloperSecret } from './developer-secret.ts';
import { createSigningKeys } from './signing-keys.ts';

const database = useTestDatabase();
const key = randomBytes(32);
const secrets = createSecretBox(key);

async function makeKey() {
  const { db } = database;
  const developerKey = randomUUID();
  const { secret, stored } = createDeveloperSecret(secrets);
  const appRef = await makeApp(db);
  await insertDeveloperKey(db, { developerKey, appRef, name: 'n', carriers: ['c'] }, stored);
  return { developerKey, secret };
}

const createKeys = () => createSigningKeys({ db: database.db, secrets });

describe('signing keys', () => {
  test('are found with their secret, and one that nobody knows', async () => {
    const { developerKey, secret } = await makeKey();

    const found = await createKeys().find(developerKey);

    expect(found.key?.carriers).toEqual(['c']);
    expect(found.secrets).toEqual([secret, expect.stringMatching(/^[\w-]{43}$/)]);
  });

  test('that are unknown have two secrets that nobody knows, others in every process', async () => {
    const found = [await createKeys().find('unknown'), await createKeys().find('unknown')];

    expect(found.map((one) => one.key)).toEqual([undefined, undefined]);
    expect(new Set(found.flatMap((one) => one.secrets)).size).toBe(4);
  });

  test.each(['known', 'unknown'])(
    'cost a flood one look at the database: one that is %s',
    async (kind) => {
      const keys = createKeys();
      const { developerKey } = kind === 'known' ? await makeKey() : { developerKey: 'unknown' };

      const looks = new Set(Array.from({ length: 1000 }, () => keys.find(developerKey)));
      await Promise.all(looks);

      expect(looks.size).toBe(1);
    },
  );

  test('are asked for again after a look that failed', async () => {
    const keys = createKeys();
    const { developerKey } = await makeKey();
    await sql`ALTER TABLE developer_keys RENAME TO away`.execute(database.db);

    const failed = await keys.find(developerKey).catch(() => 'failed');
    await sql`ALTER TABLE away RENAME TO developer_keys`.execute(database.db);
    const found = await keys.find(developerKey);

    expect(failed).toBe('failed');
    expect(found.key).toBeDefined();
  });
});
