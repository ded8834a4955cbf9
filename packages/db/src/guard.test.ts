import { createHash } from 'node:crypto';

import { makeDevice, makeScope, useTestDatabase, type MadeDevice } from '@heliograph/testing';
import { sql } from 'kysely';

import { evaluateGuard, noteAnswers } from './guard.ts';
import { openPause } from './pauses.ts';
import type { CredentialScope } from './schema.ts';
import {
  applyRipeFaults,
  decideHeldFaults,
  holdFaults,
  listHeldFaults,
  listRipeScopes,
  noteTokenFaults,
  restoreDevice,
} from './token-faults.ts';

const database = useTestDatabase();

const hash = (token: string) => createHash('sha256').update(token).digest();

/** Notes faults two minutes ago, so that they are ripe. */
async function note(
  scope: CredentialScope,
  devices: readonly MadeDevice[],
  kind: 'dead' | 'wrong_place',
  invalidSince = new Date(),
): Promise<void> {
  await noteTokenFaults(
    database.db,
    devices.map((device) => ({
      scope,
      deviceId: device.id,
      pushTokenHash: hash(device.pushToken),
      reason: kind === 'dead' ? 'Unregistered' : 'BadDeviceToken',
      kind,
      invalidSince,
    })),
  );
  await database.db
    .updateTable('tokenFaults')
    .set({ notedAt: new Date(Date.now() - 120_000) })
    .where('appRef', '=', scope.appRef)
    .execute();
}

async function makeDevices(scope: CredentialScope, count: number): Promise<MadeDevice[]> {
  return Promise.all(Array.from({ length: count }, () => makeDevice(database.db, scope.appRef)));
}

async function countDeactivated(scope: CredentialScope): Promise<number> {
  const rows = await database.db
    .selectFrom('devices')
    .select('id')
    .where('appRef', '=', scope.appRef)
    .where('tokenDeactivatedAt', 'is not', null)
    .execute();
  return rows.length;
}

describe('a token fault', () => {
  test('deactivates its device a minute later, and only that one', async () => {
    const scope = await makeScope(database.db);
    const [dead] = await makeDevices(scope, 3);
    await note(scope, [dead as MadeDevice], 'dead');

    expect(await listRipeScopes(database.db)).toContainEqual(scope);
    expect(await applyRipeFaults(database.db, scope, 'dead')).toBe(1);

    expect(await countDeactivated(scope)).toBe(1);
    expect(await applyRipeFaults(database.db, scope, 'dead')).toBe(0);
  });

  test('is not believed before its minute is over', async () => {
    const scope = await makeScope(database.db);
    const [device] = await makeDevices(scope, 1);
    await note(scope, [device as MadeDevice], 'dead');
    await database.db
      .updateTable('tokenFaults')
      .set({ notedAt: new Date() })
      .where('appRef', '=', scope.appRef)
      .execute();

    expect(await applyRipeFaults(database.db, scope, 'dead')).toBe(0);
  });

  test('leaves a device alone that registered after the provider gave its token up', async () => {
    const scope = await makeScope(database.db);
    const device = await makeDevice(database.db, scope.appRef, { lastRegisteredAt: new Date() });
    await note(scope, [device], 'dead', new Date(Date.now() - 1000));

    expect(await applyRipeFaults(database.db, scope, 'dead')).toBe(0);

    expect(await countDeactivated(scope)).toBe(0);
  });

  test('leaves a device alone that has another token now', async () => {
    const scope = await makeScope(database.db);
    const [device] = await makeDevices(scope, 1);
    await note(scope, [{ ...(device as MadeDevice), pushToken: 'an older one' }], 'dead');

    expect(await applyRipeFaults(database.db, scope, 'dead')).toBe(0);
  });

  test('can be undone', async () => {
    const scope = await makeScope(database.db);
    const [device] = (await makeDevices(scope, 1)) as [MadeDevice];
    await note(scope, [device], 'dead');
    await applyRipeFaults(database.db, scope, 'dead');

    expect(await restoreDevice(database.db, scope.appRef, hash(device.pushToken))).toBe(1);

    expect(await countDeactivated(scope)).toBe(0);
  });
});

describe('the guard', () => {
  const answers = (scope: CredentialScope, all: number, wrongPlace: number, dead = 0) =>
    noteAnswers(database.db, [{ scope, answers: all, wrongPlace, dead, trouble: 0 }]);

  test.each([
    // answers, wrong place, dead → held wrong place, held dead
    [200, 39, 0, false, false],
    [200, 40, 0, true, false],
    [200, 0, 99, false, false],
    [200, 0, 100, false, true],
    [9, 9, 0, false, false],
    [10, 5, 0, true, false],
    [10, 4, 0, false, false],
  ])(
    'over %d answers with %d wrong-place and %d dead',
    async (all, wrong, dead, holdWrongPlace, holdDead) => {
      const scope = await makeScope(database.db);
      await answers(scope, all, wrong, dead);

      expect(await evaluateGuard(database.db, scope)).toEqual({ holdWrongPlace, holdDead });
    },
  );

  test('looks at the last 200 answers only', async () => {
    const scope = await makeScope(database.db);
    await answers(scope, 100, 100);
    for (let n = 0; n < 4; n += 1) await answers(scope, 50, 0);

    expect(await evaluateGuard(database.db, scope)).toMatchObject({ holdWrongPlace: false });
  });

  test.each([
    [51, 60, true],
    [50, 60, false],
    [51, 1100, false],
  ])('%d faults within an hour among %d devices: held %s', async (faults, devices, held) => {
    const scope = await makeScope(database.db);
    const made = await makeDevices(scope, devices);
    await note(scope, made.slice(0, faults), 'wrong_place');

    expect(await evaluateGuard(database.db, scope)).toMatchObject({ holdWrongPlace: held });
  });

  test('keeps what it holds from being applied until an operator decides', async () => {
    const scope = await makeScope(database.db);
    const devices = await makeDevices(scope, 5);
    await note(scope, devices, 'wrong_place');
    await holdFaults(database.db, scope, 'wrong_place');
    await openPause(database.db, scope, 'guard', 'too_many_invalid_tokens');
    await answers(scope, 10, 10);

    expect(await applyRipeFaults(database.db, scope, 'wrong_place')).toBe(0);
    expect(await listHeldFaults(database.db)).toContainEqual(
      expect.objectContaining({ reason: 'BadDeviceToken', devices: 5 }),
    );

    await decideHeldFaults(database.db, { ...scope, decision: 'discard' });

    expect(await countDeactivated(scope)).toBe(0);
    expect(await evaluateGuard(database.db, scope)).toMatchObject({ holdWrongPlace: false });
  });

  test('applies what it held when the operator says so', async () => {
    const scope = await makeScope(database.db);
    await note(scope, await makeDevices(scope, 5), 'wrong_place');
    await holdFaults(database.db, scope, 'wrong_place');

    expect(await decideHeldFaults(database.db, { ...scope, decision: 'apply' })).toBe(5);

    expect(await countDeactivated(scope)).toBe(5);
  });

  test('notes any number of faults at once: a wrong key brings them by the thousand', async () => {
    const scope = await makeScope(database.db);
    const faults = Array.from({ length: 10_000 }, (_, n) => ({
      scope,
      deviceId: -n - scope.appRef * 100_000,
      pushTokenHash: hash(`${n}`),
      reason: 'BadDeviceToken',
      kind: 'wrong_place' as const,
      invalidSince: new Date(),
    }));

    await noteTokenFaults(database.db, faults);
    expect(await holdFaults(database.db, scope, 'wrong_place')).toBe(10_000);
  });

  test('settles all that it held, however many', async () => {
    const scope = await makeScope(database.db);
    await database.db.executeQuery(
      sql`INSERT INTO token_faults (app_ref, provider, environment, credential_version, device_id, push_token_hash,
          reason, kind, invalid_since, state)
        SELECT ${scope.appRef}::bigint, 'apns', 'production', ${scope.credentialVersion}::bigint,
          -n - ${scope.appRef}::bigint * 100000, sha256(n::text::bytea), 'BadDeviceToken', 'wrong_place', now(), 'held'
        FROM generate_series(1, 12000) AS n`.compile(database.db),
    );

    expect(await decideHeldFaults(database.db, { ...scope, decision: 'apply' })).toBe(12_000);

    expect(await listHeldFaults(database.db)).not.toContainEqual(
      expect.objectContaining({ devices: 2_000 }),
    );
  });
});
