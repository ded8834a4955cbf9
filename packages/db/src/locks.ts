import { createHash } from 'node:crypto';

import { sql } from 'kysely';

import type { Db } from './database.ts';

/** A process that is stopped, or whose machine hangs, loses what it holds after that; one that works says so in between. */
const MAX_SILENCE = '10s';
const SIGN_OF_LIFE_MS = 3_000;

/** Ends the transaction, and gives up its locks, where its process falls silent in the middle. */
export async function endIfSilent(tx: Db): Promise<void> {
  await sql`SELECT set_config('idle_in_transaction_session_timeout', ${MAX_SILENCE}, true)`.execute(
    tx,
  );
}

/**
 * Runs the work while holding a lock that only one process of the fleet has at a time; does nothing, and answers false, where another
 * holds it. The lock goes with its connection, so a process that dies or hangs leaves none behind.
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
    await endIfSilent(tx);
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
