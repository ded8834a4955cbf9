import { toUuidFloor } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';
import { dropOldDays, type DayBounds } from '../day-partitions.ts';
import { toPurged, type Purged } from '../purged.ts';

/** A chunk is some 40 KB. */
const CHUNKS_AT_ONCE = 200;
/** A run has a sum per provider, outcome and shard. */
const RUNS_AT_ONCE = 200;

/**
 * Forgets what became of the single devices of runs that ended before then: whole days at once, and up to `limit` exceptions (fewer
 * chunks) of the default partitions. The runs stay, with their sums. A day stays as it is while any of its runs is not over.
 */
export async function purgeRunDevices(db: Db, before: Date, limit: number): Promise<Purged> {
  const days = await dropOldDays(db, {
    tables: ['campaign_exceptions', 'campaign_chunks'],
    floor: toUuidFloor(before.getTime()),
    isOwed: (some, day) => isOpen(some, day, before),
    beforeDrop: notePurge,
  });
  return { ...days, ...(await deleteOfDefault(db, before, limit)) };
}

/** Whether a run of that day is not over, or ended later than that; or a chunk of it is owed. */
async function isOpen(db: Db, { from, to }: DayBounds, before: Date): Promise<boolean> {
  const { rows } = await sql<{ isOpen: boolean }>`
    SELECT EXISTS (
      SELECT FROM campaign_runs
      WHERE id >= ${from}::uuid AND id < ${to}::uuid AND (finished_at IS NULL OR finished_at > ${before})
    ) OR EXISTS (
      SELECT FROM campaign_chunks WHERE run_id >= ${from}::uuid AND run_id < ${to}::uuid AND due_at IS NOT NULL
    ) AS is_open`.execute(db);
  return rows[0]?.isOpen !== false;
}

/** The runs say so first: who asks for devices is never told that there were none. */
async function notePurge(db: Db, { from, to }: DayBounds): Promise<void> {
  await sql`
    UPDATE campaign_runs SET devices_purged_at = now()
    WHERE id >= ${from}::uuid AND id < ${to}::uuid AND devices_purged_at IS NULL AND NOT dry_run`.execute(
    db,
  );
}

async function deleteOfDefault(
  db: Db,
  before: Date,
  limit: number,
): Promise<{ readonly rows: number; readonly more: boolean }> {
  await sql`
    UPDATE campaign_runs r SET devices_purged_at = now()
    WHERE r.finished_at <= ${before} AND r.devices_purged_at IS NULL AND EXISTS (
      SELECT FROM campaign_chunks_default c WHERE c.run_id = r.id)`.execute(db);
  const exceptions = await deleteRowsOf(db, 'campaign_exceptions_default', limit);
  const chunks = await deleteRowsOf(db, 'campaign_chunks_default', CHUNKS_AT_ONCE);
  return {
    rows: exceptions + chunks,
    more: exceptions === limit || chunks === CHUNKS_AT_ONCE,
  };
}

async function deleteRowsOf(db: Db, table: string, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM ${sql.table(table)} WHERE ctid = ANY (ARRAY(
      SELECT c.ctid FROM ${sql.table(table)} c JOIN campaign_runs r ON r.id = c.run_id
      WHERE r.devices_purged_at IS NOT NULL LIMIT ${limit}))`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/** Forgets runs that ended before then and whose devices are forgotten, with their sums. */
export async function purgeRuns(db: Db, before: Date): Promise<Purged> {
  const { rows } = await sql<{ count: number }>`
    WITH old AS MATERIALIZED (
      SELECT r.id FROM campaign_runs r
      WHERE r.finished_at <= ${before}
        AND NOT EXISTS (SELECT FROM campaign_chunks c WHERE c.run_id = r.id)
        AND NOT EXISTS (SELECT FROM campaign_exceptions x WHERE x.run_id = r.id)
      ORDER BY r.finished_at LIMIT ${RUNS_AT_ONCE} FOR UPDATE SKIP LOCKED
    ), counts AS (
      DELETE FROM campaign_run_counts c USING old WHERE c.run_id = old.id
    ), timeline AS (
      DELETE FROM campaign_run_timeline t USING old WHERE t.run_id = old.id
    ), exclusions AS (
      DELETE FROM campaign_run_exclusions x USING old WHERE x.run_id = old.id
    ), gone AS (
      DELETE FROM campaign_runs r USING old WHERE r.id = old.id RETURNING 1
    )
    SELECT count(*)::integer AS count FROM gone`.execute(db);
  return toPurged(rows[0]?.count ?? 0, RUNS_AT_ONCE);
}

/** Forgets to which push tokens devices had moved, of runs that are over for a day, or gone. */
export async function purgeMovedTokens(db: Db, limit: number): Promise<Purged> {
  const { numAffectedRows } = await sql`
    DELETE FROM campaign_moved_tokens WHERE ctid = ANY (ARRAY(
      SELECT m.ctid FROM campaign_moved_tokens m LEFT JOIN campaign_runs r ON r.id = m.run_id
      WHERE r.id IS NULL OR r.finished_at < now() - interval '1 day' LIMIT ${limit}))`.execute(db);
  return toPurged(Number(numAffectedRows ?? 0), limit);
}
