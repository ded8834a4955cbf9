import { createHash } from 'node:crypto';

import { sql } from 'kysely';

import type { Db } from './database.ts';

/**
 * Runs the work while holding a lock that only one process of the fleet has at a time; does nothing, and answers false, where another
 * holds it. The lock goes with its connection, so a process that dies leaves none behind.
 */
export async function tryWithLock(
  db: Db,
  name: string,
  work: () => Promise<void>,
): Promise<boolean> {
  const key = createHash('sha256')
    .update(`heliograph ${name}`)
    .digest()
    .readBigInt64BE()
    .toString();
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ locked: boolean }>`
      SELECT pg_try_advisory_xact_lock(${key}::bigint) AS locked`.execute(tx);
    if (rows[0]?.locked !== true) return false;
    await work();
    return true;
  });
}
