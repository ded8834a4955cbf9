import { toUuidFloor } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';

const DAY_MS = 24 * 3_600_000;
/** Partitions are made that many days ahead. */
const DAYS_AHEAD = 7;
const PARTITIONED = [
  'messages',
  'deliveries',
  'campaign_chunks',
  'campaign_exceptions',
  'm800_requests',
  'callback_events',
  'audit_log',
] as const;
/** The free space lets a lease be taken, or an outcome written, without a new index entry (a heap-only update). */
const FILLFACTORS: Readonly<Record<string, number>> = { deliveries: 70, campaign_chunks: 70 };

/** PostgreSQL: the default partition already holds rows of the new one's range. */
const CHECK_VIOLATION = '23514';

/**
 * Makes the daily partitions from yesterday to a week ahead that are missing. Answers how many could not be made, because rows
 * of that day went to the default partition already: those stay there and are found there.
 */
export async function createPartitions(db: Db, now: Date): Promise<number> {
  const today = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  const existing = await listPartitions(db);
  let blocked = 0;
  for (const table of PARTITIONED)
    for (let day = today - DAY_MS; day <= today + DAYS_AHEAD * DAY_MS; day += DAY_MS) {
      const name = `${table}_p${new Date(day).toISOString().slice(0, 10).replaceAll('-', '')}`;
      if (!existing.has(name) && !(await createPartition(db, table, name, day))) blocked += 1;
    }
  return blocked;
}

async function createPartition(db: Db, table: string, name: string, day: number): Promise<boolean> {
  const [from, to] = [toUuidFloor(day), toUuidFloor(day + DAY_MS)];
  const statement = `CREATE TABLE IF NOT EXISTS ${name} PARTITION OF ${table}
    FOR VALUES FROM ('${from}') TO ('${to}') WITH (fillfactor = ${FILLFACTORS[table] ?? 100})`;
  try {
    await db.transaction().execute(async (tx) => {
      // It locks the default partition against everybody. Behind a long query or a dump it must not wait, since all others wait behind it.
      await sql`SET LOCAL lock_timeout = '2s'`.execute(tx);
      await sql.raw(statement).execute(tx);
    });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === CHECK_VIOLATION) return false;
    throw error;
  }
}

async function listPartitions(db: Db): Promise<Set<string>> {
  const { rows } = await sql<{ name: string }>`
    SELECT inhrelid::regclass::text AS name FROM pg_inherits
    WHERE inhparent = ANY (${PARTITIONED}::regclass[])`.execute(db);
  return new Set(rows.map((row) => row.name));
}
