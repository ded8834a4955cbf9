import { createHash } from 'node:crypto';

import { sql } from 'kysely';

import { MAX_SILENCE_MS, type Db } from './database.ts';

/** Well within what a connection may be silent for in the middle of a transaction. */
const SIGN_OF_LIFE_MS = MAX_SILENCE_MS / 3;

/**
 * Runs the work while holding a lock that only one process of the fleet has at a time; does nothing, and answers false, where another
 * holds it. The lock goes with its connection, so a process that dies or hangs leaves none behind.
 */
export async function tryWithLock(
  db: Db,
  name: string,
  work: () => Promise<void>,
): Promise<boolean> {
  const key = toLockKey(name);
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ locked: boolean }>`
      SELECT pg_try_advisory_xact_lock(${key}::bigint) AS locked`.execute(tx);
    if (rows[0]?.locked !== true) return false;
    // Where that fails the connection is gone, and the end of the transaction says so.
    const signs = setInterval(
      () => void sql`SELECT 1`.execute(tx).catch(() => {}),
      SIGN_OF_LIFE_MS,
    );
    try {
      await work();
    } finally {
      clearInterval(signs);
    }
    return true;
  });
}

/** The number that PostgreSQL knows the lock by. */
export function toLockKey(name: string): string {
  return createHash('sha256').update(`heliograph ${name}`).digest().readBigInt64BE().toString();
}
