import { randomBytes, randomUUID } from 'node:crypto';

import { createSecretBox, toKeyId } from '@heliograph/core';
import { makeApp, openTestDatabase, type TestDatabase } from '@heliograph/testing';

import { saveCredential, toKeyPlace } from './credentials.ts';
import { insertDeveloperKey, toDeveloperSecretPlace } from './developer-keys.ts';
import { openSecretBox, SecretsKeyMissing } from './secrets-keys.ts';

const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];

let database: TestDatabase;
let appRef: number;
beforeEach(async () => {
  database = await openTestDatabase();
  appRef = await makeApp(database.db, []);
});
afterEach(() => database.close());

function saveKey(key: Buffer) {
  return saveCredential(database.db, {
    appRef,
    provider: 'fcm',
    settings: { projectId: 'p' },
    environment: null,
    sealedKey: createSecretBox(key).seal(Buffer.from('key'), toKeyPlace(appRef, 'fcm')),
  });
}

function saveDeveloperSecret(key: Buffer) {
  const id = randomUUID();
  const sealedSecret = createSecretBox(key).seal(Buffer.from('s'), toDeveloperSecretPlace(id));
  return insertDeveloperKey(
    database.db,
    { developerKey: id, appRef, name: 'n', carriers: ['sms'] },
    { id, sealedSecret },
  );
}

describe('the secrets keys', () => {
  test('may be any where there is no secret yet', async () => {
    const secrets = await openSecretBox(database.db, { sealing: first, opening: [] });

    expect(secrets.sealingKeyId).toBe(toKeyId(first));
  });

  test('are refused where one is missing, with its id and what it sealed', async () => {
    await saveKey(first);
    await saveDeveloperSecret(first);
    await saveDeveloperSecret(first);
    await saveDeveloperSecret(second);

    const refused = openSecretBox(database.db, { sealing: third, opening: [second] });

    await expect(refused).rejects.toThrow(SecretsKeyMissing);
    await expect(refused).rejects.toThrow(
      `secrets keys are missing: key ${toKeyId(first)} sealed 1 in credentials.sealed_key, 2 in developer_secrets.sealed_secret. Give`,
    );
    await expect(refused).rejects.toMatchObject({ keyIds: [toKeyId(first)] });
  });

  test('are taken where one that only opens is what a secret was sealed with', async () => {
    await saveKey(first);

    const secrets = await openSecretBox(database.db, { sealing: second, opening: [first] });

    expect([...secrets.keyIds]).toEqual([toKeyId(second), toKeyId(first)]);
  });

  test('are not refused for what no key opens, nor for what lives for a minute', async () => {
    await makeApp(database.db);
    const id = randomUUID();
    await database.db
      .insertInto('credentialChecks')
      .values({
        id,
        provider: 'fcm',
        environment: null,
        settings: '{}',
        sealedKey: createSecretBox(first).seal(Buffer.from('key'), {
          table: 'credential_checks',
          column: 'sealed_key',
          row: id,
        }),
        expiresAt: new Date(),
      })
      .execute();

    expect(await openSecretBox(database.db, { sealing: second, opening: [] })).toBeDefined();
  });
});
