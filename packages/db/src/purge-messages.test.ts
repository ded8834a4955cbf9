import { createMessageId, toUuidFloor } from '@heliograph/core';
import { eventually, makeApp, makeDevice, toMessage, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { claimDue, openDatabase, type Db } from './index.ts';
import { insertMessages } from './messages.ts';
import { createPartitions } from './partitions.ts';
import { purgeMessages } from './purge-messages.ts';

const DAY_MS = 24 * 3_600_000;
const database = useTestDatabase({ poolSize: 6 });

let nextDay = Math.floor(Date.now() / DAY_MS) * DAY_MS - 2000 * DAY_MS;
let db: Db;

beforeAll(() => {
  db = database.db;
});

/** A day of its own, long ago, with partitions around it. */
async function makeDay(): Promise<number> {
  nextDay += 30 * DAY_MS;
  await createPartitions(db, new Date(nextDay));
  return nextDay;
}

/** Whether these partitions are there. */
async function exist(names: readonly string[]): Promise<boolean[]> {
  const { rows } = await sql<{ found: boolean }>`
    SELECT to_regclass(name) IS NOT NULL AS found FROM unnest(${names}::text[]) WITH ORDINALITY AS n (name, place)
    ORDER BY place`.execute(db);
  return rows.map(({ found }) => found);
}

const toNames = (day: number) =>
  ['messages', 'deliveries'].map(
    (table) => `${table}_p${new Date(day).toISOString().slice(0, 10).replaceAll('-', '')}`,
  );

/** Of those partitions, the ones of that day: others may be left of other tests. */
const ofDay = (names: readonly string[], day: number) =>
  names.filter((name) => toNames(day).includes(name));

/** A message of that instant to one device. */
async function makeMessage(at: number, { isPending = false } = {}): Promise<string> {
  const appRef = await makeApp(db);
  const { userId } = await makeDevice(db, appRef);
  const message = toMessage(appRef, userId, {
    id: createMessageId(at),
    expiresAt: new Date(Date.now() + (isPending ? 14 * DAY_MS : -1)),
  });
  await insertMessages(db, [message]);
  return message.id;
}

async function findLeft(ids: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('messages')
    .innerJoin('deliveries', 'messageId', 'messages.id')
    .select('messages.id')
    .where('messages.id', 'in', [...ids])
    .orderBy('messages.id')
    .execute();
  return rows.map(({ id }) => id);
}

describe('purgeMessages', () => {
  test('drops the days that are over, messages and deliveries alike, and no later one', async () => {
    const day = await makeDay();
    const old = await makeMessage(day + 1000);
    const young = await makeMessage(day + DAY_MS);

    const purged = await purgeMessages(db, new Date(day + DAY_MS + 3_600_000), 100);

    expect(purged.dropped).toEqual(expect.arrayContaining(toNames(day)));
    expect(await exist([...toNames(day), ...toNames(day + DAY_MS)])).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(await findLeft([old, young])).toEqual([young]);
  });

  test('leaves a day alone in which a delivery is pending, until it is final', async () => {
    const day = await makeDay();
    const before = new Date(day + DAY_MS);
    const pending = await makeMessage(day + 1000, { isPending: true });
    const final = await makeMessage(day + 2000);

    const first = await purgeMessages(db, before, 100);
    const left = await findLeft([pending, final]);
    await db
      .updateTable('deliveries')
      .set({ state: 'sent', nextAttemptAt: null })
      .where('messageId', '=', pending)
      .execute();
    const second = await purgeMessages(db, before, 100);

    expect(ofDay(first.owing, day)).toEqual(toNames(day));
    expect(left).toEqual([pending, final]);
    expect(ofDay(second.dropped, day)).toEqual(toNames(day));
  });

  test('does not queue behind a reader: messages are stored and claimed meanwhile', async () => {
    const day = await makeDay();
    const before = new Date(day + DAY_MS);
    await makeMessage(day + 1000);
    const reader = openDatabase(database.url, 1);
    const transaction = await reader.startTransaction().execute();
    try {
      await sql`SELECT count(*) FROM deliveries JOIN messages ON messages.id = message_id`.execute(
        transaction,
      );
      await sql`SELECT pg_sleep(1.1)`.execute(db);

      const purging = purgeMessages(db, before, 100);
      const id = await makeMessage(Date.now(), { isPending: true });
      const claimed = await claimDue(db, [id.slice(0, -4) + '0001'], 1000);
      const beside = await purging;
      await transaction.rollback().execute();
      const after = await purgeMessages(db, before, 100);

      expect(beside.dropped).toEqual([]);
      expect(beside.busy).toContain(toNames(day)[0]);
      expect(claimed).toHaveLength(1);
      expect(ofDay(after.dropped, day)).toEqual(toNames(day));
    } finally {
      if (!transaction.isRolledBack) await transaction.rollback().execute();
      await reader.destroy();
    }
  });

  test('gives a lock up that it does not get in time, so that nobody waits behind it for long', async () => {
    const day = await makeDay();
    await makeMessage(day + 1000);
    const writer = openDatabase(database.url, 1);
    const transaction = await writer.startTransaction().execute();
    try {
      // It began just now, so nothing tells it from those who are gone at once.
      await sql`LOCK TABLE messages IN ROW EXCLUSIVE MODE`.execute(transaction);
      const purged = await purgeMessages(db, new Date(day + DAY_MS), 100);
      const stored = await makeMessage(Date.now(), { isPending: true });

      expect(purged.dropped).toEqual([]);
      expect(purged.busy).toContain(toNames(day)[0]);
      expect(await findLeft([stored])).toEqual([stored]);
    } finally {
      await transaction.rollback().execute();
      await writer.destroy();
    }
  });

  test('goes on where somebody died between the two tables of a day', async () => {
    const day = await makeDay();
    await makeMessage(day + 1000);
    await sql.raw(`DROP TABLE ${toNames(day)[0]}`).execute(db);

    const purged = await purgeMessages(db, new Date(day + DAY_MS), 100);

    expect(ofDay(purged.dropped, day)).toEqual([toNames(day)[1]]);
  });

  test('is done once by two dispatchers at the same time', async () => {
    const day = await makeDay();
    const before = new Date(day + DAY_MS);
    await makeMessage(day + 1000);

    const both = await Promise.all([
      purgeMessages(db, before, 100),
      purgeMessages(db, before, 100),
    ]);

    const dropped = both.flatMap((one) => ofDay(one.dropped, day));
    expect(new Set(dropped).size).toBe(dropped.length);
    await eventually(async () => {
      await purgeMessages(db, before, 100);
      expect(await exist(toNames(day))).toEqual([false, false]);
    });
  });

  test('deletes what is in the default partition in batches, but for messages that are pending', async () => {
    // Of a day that has no partition.
    const day = nextDay - 20 * DAY_MS;
    const pending = await makeMessage(day, { isPending: true });
    const final = [
      await makeMessage(day + 1),
      await makeMessage(day + 2),
      await makeMessage(day + 3),
    ];
    const before = new Date(day + DAY_MS);

    const batches = [
      await purgeMessages(db, before, 2),
      await purgeMessages(db, before, 2),
      await purgeMessages(db, before, 2),
    ];

    expect(batches.map(({ rows, more }) => [rows, more])).toEqual([
      [2, true],
      [1, false],
      [0, false],
    ]);
    expect(await findLeft([pending, ...final])).toEqual([pending]);
    const { rows } = await sql`
      SELECT FROM deliveries WHERE id >= ${toUuidFloor(day)} AND id < ${toUuidFloor(day + DAY_MS)}`.execute(
      db,
    );
    expect(rows).toHaveLength(1);
  });
});
