import { sql } from 'kysely';

import type { Db } from './database.ts';
import type { Purged } from './purged.ts';

/** So long a drop waits for a lock, and everybody behind it with it. */
const LOCK_WAIT = '200ms';
/** Behind a transaction that is open for longer than this a drop does not queue at all. */
const LONG = '1 second';

/** PostgreSQL: a lock was not to be had in time, or was taken crosswise at our cost; somebody else dropped it meanwhile. */
const NOT_NOW = new Set(['55P03', '40P01', '42P01']);

/** The ids of a day: from, inclusive, and to, exclusive. */
export interface DayBounds {
  readonly from: string;
  readonly to: string;
}

/** When a day may go. */
export interface OldDays {
  /** In the order in which their partitions of a day are dropped. */
  readonly tables: readonly string[];
  /** Days go of which every key, a UUIDv7, is below that. */
  readonly floor: string;
  /** Whether something of the day is not over yet. Asked again when nobody else is in the partition any more. */
  readonly isOwed?: (db: Db, day: DayBounds) => Promise<boolean>;
  /** What is to be written down before the first partition of the day goes. */
  readonly beforeDrop?: (db: Db, day: DayBounds) => Promise<unknown>;
}

/**
 * Drops the days that are over. One table after the other, since locks on several at once would be taken crosswise with those who write;
 * who dies in between has left the rest of the day to the next look.
 */
export async function dropOldDays(
  db: Db,
  { tables, floor, isOwed = () => Promise.resolve(false), beforeDrop }: OldDays,
): Promise<Pick<Purged, 'dropped' | 'owing' | 'busy'>> {
  const dropped: string[] = [];
  const owing: string[] = [];
  const busy: string[] = [];
  for (const day of await listOldDays(db, tables, floor)) {
    if (await isOwed(db, day)) {
      owing.push(...tables.flatMap((table) => day.partitions.get(table) ?? []));
      continue;
    }
    await beforeDrop?.(db, day);
    for (const table of tables) {
      const name = day.partitions.get(table);
      if (name === undefined) continue;
      if (await dropPartition(db, table, name, async (tx) => !(await isOwed(tx, day)))) {
        dropped.push(name);
        continue;
      }
      busy.push(name);
      break;
    }
  }
  return { dropped, owing, busy };
}

interface OldDay extends DayBounds {
  /** By their tables. */
  readonly partitions: Map<string, string>;
}

async function listOldDays(
  db: Db,
  tables: readonly string[],
  floor: string,
): Promise<readonly OldDay[]> {
  const { rows } = await sql<DayBounds & { table: string; name: string }>`
    SELECT i.inhparent::regclass::text AS "table", c.oid::regclass::text AS name, bound[1] AS "from", bound[2] AS "to"
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''([^'']+)''\\) TO \\(''([^'']+)''\\)') AS bound
    WHERE i.inhparent = ANY (${tables}::text[]::regclass[]) AND bound IS NOT NULL AND bound[2]::uuid <= ${floor}::uuid
    ORDER BY bound[1]::uuid`.execute(db);
  const days = new Map<string, OldDay>();
  for (const { table, name, from, to } of rows) {
    const day = days.get(from) ?? { from, to, partitions: new Map<string, string>() };
    day.partitions.set(table, name);
    days.set(from, day);
  }
  return [...days.values()];
}

/**
 * Drops a partition of the table; answers false where somebody is reading it, or the table, for long, or the lock was not to be had in
 * 200 ms: then it is to be tried again later. `isFree` has the last word, when nobody else is in the partition any more.
 *
 * The lock shuts out all who read and write the table, so it must not be waited for: they would wait behind it. DETACH CONCURRENTLY would
 * not shut them out, but PostgreSQL refuses it where there is a default partition.
 */
export async function dropPartition(
  db: Db,
  table: string,
  name: string,
  isFree: (tx: Db) => Promise<boolean> = () => Promise.resolve(true),
): Promise<boolean> {
  try {
    if (await isReadForLong(db, [table, name])) return false;
    return await db.transaction().execute(async (tx) => {
      await sql`SET LOCAL lock_timeout = ${sql.lit(LOCK_WAIT)}`.execute(tx);
      // Those who are in the old partition alone are found out before the whole table is locked.
      await sql.raw(`LOCK TABLE ONLY ${name} IN ACCESS EXCLUSIVE MODE`).execute(tx);
      if (!(await isFree(tx))) return false;
      await sql.raw(`DROP TABLE ${name}`).execute(tx);
      return true;
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_NOW.has(String(error.code))) return false;
    throw error;
  }
}

/** Whether a transaction holds a lock on any of them that began a while ago, a dump for instance. */
async function isReadForLong(db: Db, tables: readonly string[]): Promise<boolean> {
  const { rows } = await sql<{ isRead: boolean }>`
    SELECT EXISTS (
      SELECT FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'relation' AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.relation = ANY (${tables}::text[]::regclass[]::oid[])
        -- Without a process it is a prepared transaction, which nobody knows the end of.
        AND (l.pid IS NULL OR a.xact_start < clock_timestamp() - ${LONG}::interval)
    ) AS is_read`.execute(db);
  return rows[0]?.isRead === true;
}
