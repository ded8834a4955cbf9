import { readKeyId, KeyNotAtHand, type SecretBox } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import { toPlace, type SealedColumn } from './sealed-columns.ts';

/** A row's secret as it was read. */
interface SealedRow {
  readonly key: readonly string[];
  readonly sealed: Buffer;
}

/** Why a secret stays as it is. */
export interface Unopened {
  /** The row, as in its place. */
  readonly row: string;
  readonly reason: string;
}

export interface Resealed {
  readonly resealed: number;
  /** Somebody saved or removed the row meanwhile, which stands. */
  readonly overtaken: number;
  readonly unopened: readonly Unopened[];
}

const BATCH = 100;

/**
 * Seals every secret of the column anew that another key than the sealing one sealed. Row by row: a row is written only where its bytes
 * are still those that were read, so a save at the same time wins, and nobody ever waits for more than one row. Nothing else of the row
 * changes: to whoever uses the secret it is the same.
 */
export async function resealColumn(
  db: Db,
  secrets: SecretBox,
  column: SealedColumn,
): Promise<Resealed> {
  const unopened: Unopened[] = [];
  let resealed = 0;
  let overtaken = 0;
  let after: readonly string[] | undefined;
  for (;;) {
    const rows = await readOutdated(db, secrets, column, after);
    for (const row of rows) {
      const place = toPlace(column, row.key);
      const opened = open(secrets, row, place);
      if ('reason' in opened) {
        unopened.push({ row: place.row, reason: opened.reason });
        continue;
      }
      const isWritten = await swap(db, column, row, secrets.seal(opened.secret, place));
      if (isWritten) resealed += 1;
      else overtaken += 1;
    }
    after = rows.at(-1)?.key;
    if (after === undefined) return { resealed, overtaken, unopened };
  }
}

async function readOutdated(
  db: Db,
  { sealingKeyId }: SecretBox,
  { table, column, key }: SealedColumn,
  after: readonly string[] | undefined,
): Promise<readonly SealedRow[]> {
  const columns = sql.join(key.map((name) => sql.ref(name)));
  const texts = sql.join(key.map((name) => sql`${sql.ref(name)}::text`));
  const sealed = sql.ref(column);
  const id = Buffer.from(sealingKeyId, 'utf8');
  const header = Buffer.concat([Buffer.from([1, id.length]), id]);
  const { rows } = await sql<SealedRow>`
    SELECT ARRAY[${texts}] AS key, ${sealed} AS sealed FROM ${sql.table(table)}
    WHERE substring(${sealed} FROM 1 FOR ${header.length}::integer) <> ${header}
      ${after === undefined ? sql`` : sql`AND (${columns}) > (${sql.join(after)})`}
    ORDER BY ${columns} LIMIT ${BATCH}`.execute(db);
  return rows;
}

function open(
  secrets: SecretBox,
  { sealed }: SealedRow,
  place: ReturnType<typeof toPlace>,
): { readonly secret: Buffer } | { readonly reason: string } {
  try {
    return { secret: secrets.open(sealed, place) };
  } catch (error) {
    if (error instanceof KeyNotAtHand)
      return { reason: `sealed with key ${error.keyId}, which is not at hand` };
    if (readKeyId(sealed) === undefined) return { reason: 'no sealed secret' };
    return { reason: 'changed, or copied from another row: no key opens it' };
  }
}

async function swap(
  db: Db,
  { table, column, key }: SealedColumn,
  row: SealedRow,
  sealed: Buffer,
): Promise<boolean> {
  const isRow = key.map((name, n) => sql`${sql.ref(name)} = ${row.key[n]}`);
  const { numAffectedRows } = await sql`
    UPDATE ${sql.table(table)} SET ${sql.ref(column)} = ${sealed}
    WHERE ${sql.join(isRow, sql` AND `)} AND ${sql.ref(column)} = ${row.sealed}`.execute(db);
  return numAffectedRows === 1n;
}
