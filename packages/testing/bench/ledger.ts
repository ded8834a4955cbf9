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

/** Waits until no delivery is pending, of one app if there is one named; throws when that takes longer than `timeoutMs`. */
export async function waitUntilDone(db: Db, timeoutMs: number, appRef?: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { rows } = await sql`
      SELECT 1 FROM deliveries
      WHERE state = 'pending' AND app_ref = coalesce(${appRef ?? null}::bigint, app_ref) LIMIT 1`.execute(
      db,
    );
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

export interface AppLedger {
  readonly sent: number;
  /** When the last outcome was recorded, ms since the epoch. */
  readonly finishedAtMs: number;
  /** From the start of an attempt to the recording of its outcome. */
  readonly p99Ms: number;
}

/** What was sent of one app since the ledger was last cleared. */
export async function readAppLedger(db: Db, appRef: number): Promise<AppLedger> {
  const { rows } = await sql<AppLedger>`
    SELECT count(*) AS sent,
      (extract(epoch FROM max(finished_at)) * 1000)::float8 AS "finishedAtMs",
      percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000) AS "p99Ms"
    FROM (SELECT finished_at, (history -> -1 ->> 'at')::timestamptz AS started_at
      FROM deliveries WHERE state = 'sent' AND app_ref = ${appRef}) d`.execute(db);
  const [ledger] = rows;
  if (ledger === undefined) throw new Error('count(*) has a row');
  return ledger;
}

export async function clearLedger(db: Db): Promise<void> {
  await sql`TRUNCATE messages, deliveries`.execute(db);
}
