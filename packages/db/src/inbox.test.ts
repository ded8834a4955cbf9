import { randomUUID } from 'node:crypto';

import { eventually, makeApp, planOf, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import {
  countUnreadInboxMessages,
  findInboxMessage,
  insertInboxMessage,
  listInboxMessages,
  readAllInboxMessages,
  readInboxMessage,
  type NewInboxMessage,
} from './inbox.ts';

const database = useTestDatabase({ poolSize: 12 });

const ALL = { offset: 0, limit: 1000 };

async function toNew(changes: Partial<NewInboxMessage> = {}): Promise<NewInboxMessage> {
  return {
    id: randomUUID(),
    userId: randomUUID(),
    appRefs: changes.appRefs ?? [await makeApp(database.db)],
    type: 'text',
    subject: 'a subject',
    summary: 'a summary',
    body: 'a whole body',
    ...changes,
  };
}

async function sequencesOf({ userId, appRefs }: NewInboxMessage): Promise<number[]> {
  const filter = { userId, appRefs, onlyUnread: false };
  return (await listInboxMessages(database.db, filter, ALL)).map(({ sequence }) => sequence);
}

/** Whether somebody waits for a lock that this transaction holds. */
async function waitsFor(pid: number): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM pg_stat_activity WHERE ${pid} = ANY (pg_blocking_pids(pid))`.execute(database.db);
  return rows.length > 0;
}

async function pidOf(tx: Db): Promise<number> {
  const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
  return rows[0]?.pid ?? 0;
}

describe('insertInboxMessage', () => {
  test('answers what it stored, with the apps in the order in which they were named', async () => {
    const { db } = database;
    const appRefs = [await makeApp(db), await makeApp(db)].toReversed();
    const message = await toNew({ appRefs, type: 'html', sender: 'a bank' });

    const stored = await insertInboxMessage(db, message);

    const apps = await db.selectFrom('apps').select(['id', 'appId']).execute();
    const { appRefs: _, ...same } = message;
    expect(stored).toEqual({
      ...same,
      sequence: 1,
      createdAt: expect.any(Date),
      readAt: null,
      applications: appRefs.map((ref) => apps.find(({ id }) => id === ref)?.appId),
    });
    expect(await findInboxMessage(db, message.id)).toEqual(stored);
  });

  test('gives back the number of a message whose transaction failed', async () => {
    const { db } = database;
    const message = await toNew();
    await insertInboxMessage(db, message);

    await expect(
      db.transaction().execute(async (tx) => {
        await insertInboxMessage(tx, { ...message, id: randomUUID() });
        throw new Error('later');
      }),
    ).rejects.toThrow('later');
    await insertInboxMessage(db, { ...message, id: randomUUID() });

    expect(await sequencesOf(message)).toEqual([2, 1]);
  });

  test('numbers messages of one user, stored at once, without gap or repeat, in the order of their dates', async () => {
    const message = await toNew();

    await Promise.all(
      Array.from({ length: 40 }, () =>
        insertInboxMessage(database.db, { ...message, id: randomUUID() }),
      ),
    );

    const filter = { ...message, onlyUnread: false };
    const listed = await listInboxMessages(database.db, filter, ALL);
    expect(listed.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 40 }, (_, n) => 40 - n),
    );
    const dates = listed.map(({ createdAt }) => createdAt.getTime());
    expect(dates).toEqual(dates.toSorted((a, b) => b - a));
  });

  test('waits for whoever stores one for the same user, and for nobody else', async () => {
    const { db } = database;
    const message = await toNew();
    const order: string[] = [];
    let second: Promise<unknown> | undefined;

    await db.transaction().execute(async (tx) => {
      await insertInboxMessage(tx, message);
      second = insertInboxMessage(db, { ...message, id: randomUUID() }).then(() =>
        order.push('second'),
      );
      const pid = await pidOf(tx);
      await eventually(async () => expect(await waitsFor(pid)).toBe(true));
      // Would never end if it waited, too.
      await insertInboxMessage(db, { ...message, id: randomUUID(), userId: randomUUID() });
      order.push('of another user', 'first');
    });
    await second;

    expect(order).toEqual(['of another user', 'first', 'second']);
    expect(await sequencesOf(message)).toEqual([2, 1]);
  });

  test('stores nothing of a message whose id is taken', async () => {
    const { db } = database;
    const message = await toNew();
    await insertInboxMessage(db, message);

    await expect(insertInboxMessage(db, message)).rejects.toMatchObject({ code: '23505' });
    await insertInboxMessage(db, { ...message, id: randomUUID() });

    expect(await sequencesOf(message)).toEqual([2, 1]);
  });
});

describe('readInboxMessage', () => {
  test('keeps the time of the first of many readers, and tells it to all', async () => {
    const { db } = database;
    const message = await toNew();
    await insertInboxMessage(db, message);

    const read = await Promise.all(
      Array.from({ length: 10 }, () => readInboxMessage(db, message.id)),
    );

    const { readAt } = (await findInboxMessage(db, message.id)) ?? {};
    expect(readAt).toBeInstanceOf(Date);
    expect(read.map((one) => one?.readAt)).toEqual(Array(10).fill(readAt));
  });

  test('finds nothing where there is nothing', async () => {
    expect(await readInboxMessage(database.db, randomUUID())).toBeUndefined();
    expect(await findInboxMessage(database.db, randomUUID())).toBeUndefined();
  });
});

describe('readAllInboxMessages', () => {
  test('marks only what is unread, of that user, in that app', async () => {
    const { db } = database;
    const [app, other] = [await makeApp(db), await makeApp(db)];
    const inBoth = await toNew({ appRefs: [other, app] });
    const { userId } = inBoth;
    const messages = [
      inBoth,
      await toNew({ userId, appRefs: [app] }),
      await toNew({ userId, appRefs: [other] }),
      await toNew({ appRefs: [app] }),
    ];
    for (const message of messages) await insertInboxMessage(db, message);
    const first = await readInboxMessage(db, messages[1]?.id ?? '');

    await readAllInboxMessages(db, userId, app);
    const once = await findInboxMessage(db, inBoth.id);
    await readAllInboxMessages(db, userId, app);

    const now = await Promise.all(messages.map(({ id }) => findInboxMessage(db, id)));
    expect(now.map((message) => message?.readAt)).toEqual([
      once?.readAt,
      first?.readAt,
      null,
      null,
    ]);
    expect(once?.readAt).toBeInstanceOf(Date);
  });

  test('leaves nothing unread when many call it at once, for two apps of a user', async () => {
    const { db } = database;
    const apps = [await makeApp(db), await makeApp(db)] as const;
    const message = await toNew({ appRefs: apps });
    for (let n = 0; n < 200; n += 1) await insertInboxMessage(db, { ...message, id: randomUUID() });

    await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        readAllInboxMessages(db, message.userId, apps[n % 2 === 0 ? 0 : 1]),
      ),
    );

    expect(await countUnreadInboxMessages(db, message.userId, apps[0])).toBe(0);
  });
});

describe('a user with 10,000 messages among many users', () => {
  const userId = 'busy';
  let appRef = 0;

  beforeAll(async () => {
    const { db } = database;
    appRef = await makeApp(db);
    await sql`
      INSERT INTO inbox_messages (id, user_id, sequence, app_refs, type, subject, summary, body, created_at, read_at)
      SELECT gen_random_uuid(), CASE WHEN n <= 10000 THEN ${userId} ELSE 'user-' || n / 10 END,
        CASE WHEN n <= 10000 THEN n ELSE n % 10 END, ARRAY[${appRef}::bigint], 'text', repeat('s', 50), repeat('s', 100),
        repeat('b', 500), now(), CASE WHEN n % 4 > 0 THEN now() END
      FROM generate_series(1, 40000) n`.execute(db);
    await sql`VACUUM ANALYZE inbox_messages`.execute(db);
  });

  test('is listed page by page', async () => {
    const filter = { userId, appRefs: [appRef], onlyUnread: false };

    const page = await listInboxMessages(database.db, filter, { offset: 20, limit: 20 });

    expect(page.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 20 }, (_, n) => 9980 - n),
    );
    expect(await countUnreadInboxMessages(database.db, userId, appRef)).toBe(2500);
  });

  test('has indexes for its list and its count', async () => {
    const filter = { userId, appRefs: [appRef] };

    const list = await planOf(database.db, (db) =>
      listInboxMessages(db, { ...filter, onlyUnread: false }, { offset: 40, limit: 20 }),
    );
    const unread = await planOf(database.db, (db) =>
      listInboxMessages(db, { ...filter, onlyUnread: true }, { offset: 40, limit: 20 }),
    );
    const count = await planOf(database.db, (db) => countUnreadInboxMessages(db, userId, appRef));

    expect(list).toContain('Index Scan Backward using inbox_messages_user_id_sequence_key');
    expect(unread).toContain('Index Scan Backward using inbox_messages_unread');
    expect(count).toContain('Index Only Scan using inbox_messages_unread');
    expect(`${list}${unread}${count}`).not.toMatch(/Seq Scan|Sort/);
  });
});
