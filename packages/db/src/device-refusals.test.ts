import { makeApp, makeDevice, useTestDatabase, type MadeDevice } from '@heliograph/testing';

import { deleteOldRefusals, noteDeviceAnswers, type DeviceAnswers } from './device-refusals.ts';
import { hashPushToken, inRegistration, saveDevice } from './devices.ts';

const database = useTestDatabase();

const MINUTE = 60_000;
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * MINUTE);

async function makePhone(): Promise<MadeDevice & { appRef: number }> {
  const appRef = await makeApp(database.db);
  return { appRef, ...(await makeDevice(database.db, appRef)) };
}

function toRefused(device: MadeDevice, lastAt: Date, times = 1) {
  return { pushTokenHash: hashPushToken(device.pushToken), times, lastAt };
}

function note(...answers: DeviceAnswers[]) {
  return database.db.transaction().execute((tx) => noteDeviceAnswers(tx, answers));
}

function refuse(device: MadeDevice, lastAt: Date, times = 1) {
  const refused = toRefused(device, lastAt, times);
  return note({ deviceId: device.id, takenAt: undefined, refused });
}

function take(device: MadeDevice, takenAt: Date) {
  return note({ deviceId: device.id, takenAt, refused: undefined });
}

function rowOf(device: MadeDevice) {
  return database.db
    .selectFrom('deviceRefusals')
    .select(['inRow', 'lastAt'])
    .where('deviceId', '=', device.id)
    .executeTakeFirst();
}

describe('a device that a proxy refuses', () => {
  test('is believed to be refused after three in a row, and starts again from none', async () => {
    const phone = await makePhone();

    const answers = [];
    for (const minutes of [5, 4, 3, 2]) answers.push(await refuse(phone, minutesAgo(minutes)));

    expect(answers).toEqual([
      [],
      [],
      [
        {
          deviceId: phone.id,
          pushTokenHash: hashPushToken(phone.pushToken),
          refusedAt: expect.any(Date),
        },
      ],
      [],
    ]);
    expect(await rowOf(phone)).toMatchObject({ inRow: 1 });
  });

  test('starts again from none when a push to it was taken in between', async () => {
    const phone = await makePhone();
    await refuse(phone, minutesAgo(5), 2);

    await take(phone, minutesAgo(4));
    const answer = await refuse(phone, minutesAgo(3));

    expect(answer).toEqual([]);
    expect(await rowOf(phone)).toMatchObject({ inRow: 1 });
  });

  test('keeps what was refused after the push that was taken, where that comes to be known later', async () => {
    const phone = await makePhone();
    await refuse(phone, minutesAgo(2), 2);

    await take(phone, minutesAgo(4));

    expect(await rowOf(phone)).toMatchObject({ inRow: 2 });
  });

  test('counts what came after a push that was taken at the same time', async () => {
    const phone = await makePhone();
    await refuse(phone, minutesAgo(5), 2);

    const refused = toRefused(phone, minutesAgo(3), 2);
    const answer = await note({ deviceId: phone.id, takenAt: minutesAgo(4), refused });

    expect(answer).toEqual([]);
    expect(await rowOf(phone)).toMatchObject({ inRow: 2 });
  });

  test('starts again from none when it registered, be it with the same push token', async () => {
    const phone = await makePhone();
    await refuse(phone, minutesAgo(5), 2);

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
    expect(await rowOf(phone)).toMatchObject({ inRow: 1 });
  });

  test('is not refused for the push token that it had before', async () => {
    const phone = await makePhone();

    const answer = await refuse({ ...phone, pushToken: 'another' }, minutesAgo(1), 3);

    expect(answer).toEqual([]);
    expect(await rowOf(phone)).toBeUndefined();
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
    expect(await Promise.all(phones.map(rowOf))).toEqual(phones.map(() => undefined));
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

  expect(await rowOf(old)).toBeUndefined();
  expect(await rowOf(recent)).toMatchObject({ inRow: 1 });
});
