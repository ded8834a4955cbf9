import {
  eventually,
  makeApp,
  makeDevice,
  makeScope,
  useTestDatabase,
  type MadeDevice,
} from '@heliograph/testing';
import { sql } from 'kysely';

import {
  BLOCKED,
  deleteOldRefusals,
  noteDeviceAnswers,
  type DeviceAnswers,
} from './device-refusals.ts';
import { hashPushToken, inRegistration, saveDevice } from './devices.ts';
import type { CredentialScope } from './schema.ts';
import { applyRipeFaults, decideHeldFaults, holdFaults, noteTokenFaults } from './token-faults.ts';

const database = useTestDatabase();

const MINUTE = 60_000;
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * MINUTE);

async function makePhone(): Promise<MadeDevice & { appRef: number }> {
  const appRef = await makeApp(database.db);
  return { appRef, ...(await makeDevice(database.db, appRef)) };
}

function toRefused({ pushToken }: MadeDevice, ...at: Date[]) {
  return { pushTokenHash: hashPushToken(pushToken), at };
}

function note(...answers: DeviceAnswers[]) {
  return database.db.transaction().execute((tx) => noteDeviceAnswers(tx, answers));
}

function refuse(device: MadeDevice, ...at: Date[]) {
  const refused = toRefused(device, ...at);
  return note({ deviceId: device.id, takenAt: undefined, refused });
}

function take(device: MadeDevice, takenAt: Date) {
  return note({ deviceId: device.id, takenAt, refused: undefined });
}

const waitingForLocks = () =>
  sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(
    database.db,
  );

async function rowOf(device: MadeDevice): Promise<number> {
  const row = await database.db
    .selectFrom('deviceRefusals')
    .select('refusedAt')
    .where('deviceId', '=', device.id)
    .executeTakeFirst();
  return row?.refusedAt.length ?? 0;
}

describe('a device that a proxy refuses', () => {
  test('is believed to be refused from the third time in a row on', async () => {
    const phone = await makePhone();
    const believed = { deviceId: phone.id, pushTokenHash: hashPushToken(phone.pushToken) };

    const answers = [];
    for (const minutes of [5, 4, 3, 2]) answers.push(await refuse(phone, minutesAgo(minutes)));

    expect(answers).toMatchObject([[], [], [believed], [believed]]);
    expect(await rowOf(phone)).toBe(3);
  });

  test('starts again from none when a push to it was taken in between', async () => {
    const phone = await makePhone();
    await refuse(phone, minutesAgo(6), minutesAgo(5));

    await take(phone, minutesAgo(4));
    const answer = await refuse(phone, minutesAgo(3));

    expect(answer).toEqual([]);
    expect(await rowOf(phone)).toBe(1);
  });

  test('keeps what was refused after the push that was taken, where that comes to be known later', async () => {
    const phone = await makePhone();
    await refuse(phone, minutesAgo(5), minutesAgo(3), minutesAgo(2));

    await take(phone, minutesAgo(6));
    const untouched = await rowOf(phone);
    await take(phone, minutesAgo(4));

    expect(untouched).toBe(3);
    expect(await rowOf(phone)).toBe(2);
  });

  test('counts what came after a push that was taken at the same time', async () => {
    const phone = await makePhone();
    await refuse(phone, minutesAgo(6), minutesAgo(5));

    const refused = toRefused(phone, minutesAgo(3), minutesAgo(2));
    const answer = await note({ deviceId: phone.id, takenAt: minutesAgo(4), refused });

    expect(answer).toEqual([]);
    expect(await rowOf(phone)).toBe(2);
  });

  test('starts again from none when it registered, be it with the same push token', async () => {
    const phone = await makePhone();
    await refuse(phone, minutesAgo(6), minutesAgo(5));

    await inRegistration(database.db, { pushToken: phone.pushToken }, (tx) =>
      saveDevice(
        tx,
        {
          appRef: phone.appRef,
          activationId: phone.activationId,
          userId: phone.userId,
          provider: 'apns',
          environment: null,
          pushToken: phone.pushToken,
          activationActive: true,
        },
        { kind: 'refuse' },
      ),
    );
    const onTheWay = await refuse(phone, minutesAgo(1));
    const after = await refuse(phone, new Date(Date.now() + MINUTE));

    expect([onTheWay, after]).toEqual([[], []]);
    expect(await rowOf(phone)).toBe(1);
  });

  test('is not refused for the push token that it had before', async () => {
    const phone = await makePhone();

    const times = [minutesAgo(3), minutesAgo(2), minutesAgo(1)];
    const answer = await refuse({ ...phone, pushToken: 'another' }, ...times);

    expect(answer).toEqual([]);
    expect(await rowOf(phone)).toBe(0);
  });

  test('is counted by all dispatchers together, whoever comes first', async () => {
    const phones = await Promise.all(Array.from({ length: 50 }, makePhone));
    const inAnyOrder = () => phones.toSorted(() => Math.random() - 0.5);

    const answers = await Promise.all(
      Array.from({ length: 3 }, () =>
        note(
          ...inAnyOrder().map((phone) => ({
            deviceId: phone.id,
            takenAt: undefined,
            refused: toRefused(phone, minutesAgo(1)),
          })),
        ),
      ),
    );

    expect(answers.flat().map(({ deviceId }) => deviceId)).toHaveLength(50);
  });
});

describe('a device that was noted as blocked', () => {
  async function noteBlocked() {
    const { db } = database;
    const scope = await makeScope(db);
    const phone = await makeDevice(db, scope.appRef);
    const [refused] = await refuse(phone, minutesAgo(5), minutesAgo(4), minutesAgo(3));
    if (refused === undefined) throw new Error('it was refused three times');
    const { refusedAt: invalidSince, ...token } = refused;
    const fault = { scope, ...token, invalidSince, reason: BLOCKED, kind: 'wrong_place' } as const;
    const noted = await noteTokenFaults(db, [fault]);
    const notedAgain = await noteTokenFaults(db, [fault]);
    await db
      .updateTable('tokenFaults')
      .set({ notedAt: minutesAgo(2) })
      .where('deviceId', '=', phone.id)
      .execute();
    return { scope, phone, fault, noted: [noted, notedAgain] };
  }

  test('is so a minute later, once, and its refusals are settled', async () => {
    const { scope, phone, noted } = await noteBlocked();

    const applied = await applyRipeFaults(database.db, scope, 'wrong_place');

    expect(noted).toEqual([[phone.id], []]);
    expect(applied).toBe(1);
    expect(await rowOf(phone)).toBe(0);
  });

  test.each([
    ['between its refusals', 3.5],
    ['after them', 1],
  ])('is not where it turns out that a push was taken %s', async (_, minutes) => {
    const { scope, phone } = await noteBlocked();

    await take(phone, minutesAgo(minutes));

    expect(await applyRipeFaults(database.db, scope, 'wrong_place')).toBe(0);
  });

  test('starts again from none when an operator decides that it was not', async () => {
    const { scope, phone } = await noteBlocked();
    await holdFaults(database.db, scope, 'wrong_place');

    const discarded = await decideHeldFaults(database.db, { ...scope, decision: 'discard' });

    expect(discarded).toBe(1);
    expect(await refuse(phone, minutesAgo(1))).toEqual([]);
  });

  test.each([
    ['applied', (scope: CredentialScope) => applyRipeFaults(database.db, scope, 'wrong_place')],
    [
      'discarded',
      (scope: CredentialScope) => decideHeldFaults(database.db, { ...scope, decision: 'discard' }),
    ],
  ])('is refused once more while it is %s: neither waits for the other', async (_, settle) => {
    const { scope, phone, fault } = await noteBlocked();

    const settled = await database.db.transaction().execute(async (tx) => {
      const refused = toRefused(phone, minutesAgo(1));
      await noteDeviceAnswers(tx, [{ deviceId: phone.id, takenAt: undefined, refused }]);
      const settling = settle(scope);
      await eventually(async () =>
        expect((await waitingForLocks()).rows.length).toBeGreaterThan(0),
      );
      await noteTokenFaults(tx, [fault]);
      return { settling };
    });

    expect(await settled.settling).toBe(1);
    expect(await rowOf(phone)).toBe(0);
  });
});

test('refusals of a month ago are forgotten', async () => {
  const [old, recent] = [await makePhone(), await makePhone()];
  await database.db
    .updateTable('devices')
    .set({ lastRegisteredAt: minutesAgo(100 * 24 * 60) })
    .where('id', 'in', [old.id, recent.id])
    .execute();
  await refuse(old, minutesAgo(31 * 24 * 60));
  await refuse(recent, minutesAgo(29 * 24 * 60));

  await deleteOldRefusals(database.db);

  expect([await rowOf(old), await rowOf(recent)]).toEqual([0, 1]);
});
