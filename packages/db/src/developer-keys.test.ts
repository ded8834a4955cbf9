import { randomUUID } from 'node:crypto';

import { makeApp, useTestDatabase } from '@heliograph/testing';

import {
  disableDeveloperKey,
  enableDeveloperKey,
  findSigningKey,
  insertDeveloperKey,
  listDeveloperKeys,
  rotateDeveloperSecret,
} from './developer-keys.ts';

const database = useTestDatabase();

function newSecret() {
  const id = randomUUID();
  return { id, sealedSecret: Buffer.from(`sealed ${id}`) };
}

async function makeKey() {
  const { db } = database;
  const appRef = await makeApp(db, ['fcm']);
  const developerKey = randomUUID();
  const secret = newSecret();
  await insertDeveloperKey(
    db,
    { developerKey, appRef, name: 'n', carriers: ['first', 'second'] },
    secret,
  );
  const rotate = (oldValidForSeconds: number, next = newSecret()) =>
    rotateDeveloperSecret(db, developerKey, next, oldValidForSeconds);
  const secretsOf = async () => (await findSigningKey(db, developerKey))?.secrets ?? [];
  return { db, appRef, developerKey, secret, rotate, secretsOf };
}

describe('findSigningKey', () => {
  test('finds a key with its app, the routes of that, and its secret', async () => {
    const { db, appRef, developerKey, secret } = await makeKey();

    const key = await findSigningKey(db, developerKey);

    expect(key).toMatchObject({
      appRef,
      appName: null,
      routes: [{ provider: 'fcm', route: 'direct' }],
      carriers: ['first', 'second'],
      secrets: [secret],
    });
  });

  test('finds neither an unknown key nor one that is disabled, until it is enabled again', async () => {
    const { db, developerKey } = await makeKey();

    const unknown = await findSigningKey(db, 'unknown');
    await disableDeveloperKey(db, developerKey);
    const disabled = await findSigningKey(db, developerKey);
    await enableDeveloperKey(db, developerKey);
    const enabled = await findSigningKey(db, developerKey);

    expect([unknown, disabled]).toEqual([undefined, undefined]);
    expect(enabled).toBeDefined();
  });
});

describe('disableDeveloperKey', () => {
  test('keeps the time of the first call, and knows when there is no such key', async () => {
    const { db, appRef, developerKey } = await makeKey();

    const done = await disableDeveloperKey(db, developerKey);
    const [first] = await listDeveloperKeys(db, appRef);
    await disableDeveloperKey(db, developerKey);
    const [second] = await listDeveloperKeys(db, appRef);

    expect(done).toBe(true);
    expect(first?.disabledAt).toBeInstanceOf(Date);
    expect(second?.disabledAt).toEqual(first?.disabledAt);
    expect(await disableDeveloperKey(db, 'unknown')).toBe(false);
    expect(await enableDeveloperKey(db, 'unknown')).toBe(false);
  });
});

describe('rotateDeveloperSecret', () => {
  test('has the old secret valid for a while beside the new one', async () => {
    const { db, appRef, secret, rotate, secretsOf } = await makeKey();
    const next = newSecret();

    const rotated = await rotate(60, next);

    expect(await secretsOf()).toEqual([next, secret]);
    const [listed] = await listDeveloperKeys(db, appRef);
    expect(rotated).toEqual({ kind: 'rotated', oldValidUntil: listed?.oldSecretValidUntil });
    expect(listed?.oldSecretValidUntil).toBeInstanceOf(Date);
  });

  test('forgets the old one when its time is over', async () => {
    const { db, appRef, secret, rotate, secretsOf } = await makeKey();
    const next = newSecret();
    await rotate(60, next);
    await db
      .updateTable('developerSecrets')
      .set({ validUntil: new Date(Date.now() - 1000) })
      .where('id', '=', secret.id)
      .execute();

    const secrets = await secretsOf();
    const third = newSecret();
    const rotated = await rotate(60, third);

    expect(secrets).toEqual([next]);
    expect(rotated.kind).toBe('rotated');
    expect(await secretsOf()).toEqual([third, next]);
    expect(await listDeveloperKeys(db, appRef)).toHaveLength(1);
  });

  test('changes nothing while two are valid, unless all others are to end at once', async () => {
    const { secret, rotate, secretsOf } = await makeKey();
    const second = newSecret();
    await rotate(60, second);

    const refused = await rotate(60);
    const afterRefusal = await secretsOf();
    const third = newSecret();
    const rotated = await rotate(0, third);

    expect(refused).toEqual({ kind: 'two_valid', oldValidUntil: expect.any(Date) });
    expect(afterRefusal).toEqual([second, secret]);
    expect(rotated).toEqual({ kind: 'rotated', oldValidUntil: null });
    expect(await secretsOf()).toEqual([third]);
  });

  test('of two at once lets one through', async () => {
    const { rotate, secretsOf } = await makeKey();

    const answers = await Promise.all([rotate(60), rotate(60)]);

    expect(answers.map(({ kind }) => kind).toSorted()).toEqual(['rotated', 'two_valid']);
    expect(await secretsOf()).toHaveLength(2);
  });

  test('knows no unknown key', async () => {
    const { kind } = await rotateDeveloperSecret(database.db, 'unknown', newSecret(), 60);

    expect(kind).toBe('unknown_key');
  });
});
