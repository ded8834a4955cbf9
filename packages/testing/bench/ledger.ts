import { setTimeout as sleep } from 'node:timers/promises';

import type { Db } from '@heliograph/db';
import { sql } from 'kysely';

const POLL_MS = 200;

export interface Ledger {
  readonly deliveries: number;
  readonly sent: number;
  /** From the start of the first attempt to the recording of the last outcome. */
  readonly seconds: number;
}

/** Waits until no delivery is pending; throws when that takes longer than `timeoutMs`. */
export async function waitUntilDone(db: Db, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { rows } = await sql`
      SELECT 1 FROM deliveries WHERE state = 'pending' LIMIT 1`.execute(db);
    if (rows.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`deliveries are still pending after ${Math.round(timeoutMs / 1000)} s`);
    await sleep(POLL_MS);
  }
}

/** What became of everything that was accepted since the ledger was last cleared. */
export async function readLedger(db: Db): Promise<Ledger> {
  const { rows } = await sql<Ledger>`
    SELECT count(*) AS deliveries, count(*) FILTER (WHERE state = 'sent') AS sent,
      extract(epoch FROM max(finished_at) - min((history -> 0 ->> 'at')::timestamptz))::float8 AS seconds
    FROM deliveries`.execute(db);
  const [ledger] = rows;
  if (ledger === undefined) throw new Error('count(*) has a row');
  return ledger;
}

export async function clearLedger(db: Db): Promise<void> {
  await sql`TRUNCATE messages, deliveries`.execute(db);
}
