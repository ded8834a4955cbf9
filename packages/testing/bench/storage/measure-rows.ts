import type { Db } from '@heliograph/db';
import { sql } from 'kysely';

/** Bytes per row in one table, all of its partitions together. */
export interface TableBytes {
  /** Of the rows themselves, large values and dead versions included. */
  readonly heap: number;
  readonly index: number;
}

/** What one of the things that were written costs. */
export interface RowBytes<Table extends string> {
  readonly rows: number;
  /** What the write-ahead log got for it, bytes. */
  readonly wal: number;
  readonly tables: Readonly<Record<Table, TableBytes>>;
}

/**
 * Calls `fill`, which answers how many it wrote, and divides by that what the tables and the log grew by. The log begins behind a
 * checkpoint, so the whole pages that it gets after each one are in it.
 */
export async function measureRows<Table extends string>(
  db: Db,
  tables: readonly Table[],
  fill: () => Promise<number>,
): Promise<RowBytes<Table>> {
  await sql`CHECKPOINT`.execute(db);
  const before = await Promise.all(tables.map((table) => readSizes(db, table)));
  const walBefore = await readWalBytes(db);
  const rows = await fill();
  const wal = (await readWalBytes(db)) - walBefore;
  const after = await Promise.all(tables.map((table) => readSizes(db, table)));

  const grown = tables.map((table, n) => {
    const perRow = (part: keyof TableBytes) =>
      Math.round(((after[n]?.[part] ?? 0) - (before[n]?.[part] ?? 0)) / rows);
    return [table, { heap: perRow('heap'), index: perRow('index') }];
  });
  return {
    rows,
    wal: Math.round(wal / rows),
    tables: Object.fromEntries(grown) as Record<Table, TableBytes>,
  };
}

async function readSizes(db: Db, table: string): Promise<TableBytes> {
  const { rows } = await sql<TableBytes>`
    WITH parts AS (
      SELECT ${table}::regclass AS part UNION SELECT relid FROM pg_partition_tree(${table}::regclass)
    )
    SELECT sum(pg_table_size(part))::float8 AS heap, sum(pg_indexes_size(part))::float8 AS index FROM parts`.execute(
    db,
  );
  const [sizes] = rows;
  if (sizes === undefined) throw new Error('sum() has a row');
  return sizes;
}

/** How much the server has written to its log since it was made. */
async function readWalBytes(db: Db): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 AS bytes`.execute(db);
  return rows[0]?.bytes ?? Number.NaN;
}
