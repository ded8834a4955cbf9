import { randomUUID } from 'node:crypto';

import { makeApp, planOf, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { findLastInboxSequence, listInboxAfter, listInboxBehind } from './inbox-news.ts';
import { insertInboxMessage, readInboxMessage } from './inbox.ts';

const database = useTestDatabase();

async function store(userId: string, appRefs: readonly number[], count = 1): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const id = randomUUID();
    ids.push(id);
    const texts = { subject: 'a subject', summary: 'a summary', body: 'a whole body' };
    await insertInboxMessage(database.db, { id, userId, appRefs, type: 'text', ...texts });
  }
  return ids;
}

describe('findLastInboxSequence', () => {
  test('answers the latest number, 0 for a user without messages', async () => {
    const userId = randomUUID();
    await store(userId, [await makeApp(database.db)], 3);

    expect(await findLastInboxSequence(database.db, userId)).toBe(3);
    expect(await findLastInboxSequence(database.db, randomUUID())).toBe(0);
  });
});

describe('listInboxBehind', () => {
  test('answers which positions are behind, the same user at several of them, too', async () => {
    const appRef = await makeApp(database.db);
    const [one, other] = [randomUUID(), randomUUID()];
    await store(one, [appRef], 2);

    const behind = await listInboxBehind(database.db, [
      { userId: one, after: 2 },
      { userId: one, after: 1 },
      { userId: other, after: 0 },
      { userId: one, after: 0 },
    ]);

    expect(new Set(behind)).toEqual(new Set([1, 3]));
    expect(await listInboxBehind(database.db, [])).toEqual([]);
  });
});

describe('listInboxAfter', () => {
  test('answers a page after each position, in order, of all apps', async () => {
    const { db } = database;
    const apps = [await makeApp(db), await makeApp(db)];
    const [one, other] = [randomUUID(), randomUUID()];
    const ids = await store(one, apps, 4);
    await store(other, apps.slice(0, 1));
    await readInboxMessage(db, ids[1] ?? '');

    const positions = [
      { userId: one, after: 1 },
      { userId: randomUUID(), after: 0 },
      { userId: other, after: 0 },
      { userId: one, after: 3 },
    ];
    const news = await listInboxAfter(db, positions, 2);

    expect(news.map(({ position, sequence }) => [position, sequence])).toEqual([
      [0, 2],
      [0, 3],
      [2, 1],
      [3, 4],
    ]);
    expect(news[0]).toEqual({
      position: 0,
      id: ids[1],
      sequence: 2,
      type: 'text',
      subject: 'a subject',
      summary: 'a summary',
      createdAt: expect.any(Date),
      readAt: expect.any(Date),
      appRefs: apps,
    });
    expect(await listInboxAfter(db, [], 2)).toEqual([]);
  });

  test('looks each position up by an index, among many users with many messages', async () => {
    const { db } = database;
    const appRef = await makeApp(db);
    await sql`
      WITH numbered AS (
        INSERT INTO inbox_users (user_id, last_sequence) SELECT 'user-' || n, 10 FROM generate_series(1, 50000) n
      )
      INSERT INTO inbox_messages (id, user_id, sequence, app_refs, type, subject, summary, body, created_at)
      SELECT gen_random_uuid(), 'user-' || n / 10, n % 10 + 1, ARRAY[${appRef}::bigint], 'text', repeat('s', 50),
        repeat('s', 100), 'body', now()
      FROM generate_series(10, 50009) n`.execute(db);
    await sql`VACUUM ANALYZE inbox_messages, inbox_users`.execute(db);
    const positions = Array.from({ length: 200 }, (_, n) => ({ userId: `user-${n}`, after: 9 }));

    const page = await planOf(db, (explaining) => listInboxAfter(explaining, positions, 50));
    const behind = await planOf(db, (explaining) => listInboxBehind(explaining, positions));

    expect(page).toContain('Index Scan using inbox_messages_user_id_sequence_key');
    expect(behind).toContain('inbox_users_pkey');
    expect(page + behind).not.toContain('Seq Scan');
  });
});
