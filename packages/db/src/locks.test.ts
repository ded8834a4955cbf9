import { openTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { MAX_SILENCE_MS } from './database.ts';
import { tryWithLock } from './locks.ts';

describe('a process that falls silent', () => {
  test('loses its transaction, whatever it had said in it', async () => {
    const { db, close } = await openTestDatabase();
    const readTimeout = sql<{ timeout: string }>`
      SELECT setting AS timeout FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'`;

    const { rows } = await db.transaction().execute((tx) => readTimeout.execute(tx));

    expect(rows).toEqual([{ timeout: String(MAX_SILENCE_MS) }]);
    await close();
  });

  test('is told from one that works for long under a lock', async () => {
    const { db, close } = await openTestDatabase();
    const others: boolean[] = [];
    const work = async () => {
      await new Promise((resolve) => setTimeout(resolve, MAX_SILENCE_MS + 2_000));
      others.push(await tryWithLock(db, 'long work', () => Promise.resolve()));
    };

    const worked = await tryWithLock(db, 'long work', work);

    expect({ worked, others }).toEqual({ worked: true, others: [false] });
    expect(await tryWithLock(db, 'long work', () => Promise.resolve())).toBe(true);
    await close();
  });
});
