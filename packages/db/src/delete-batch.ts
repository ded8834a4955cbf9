import { sql, type RawBuilder } from 'kysely';

import type { Db } from './database.ts';

/** Deletes up to `limit` rows of the table that are old, in whatever order they lie there. Answers how many went. */
export async function deleteBatch(
  db: Db,
  table: string,
  isOld: RawBuilder<unknown>,
  limit: number,
): Promise<number> {
  // Asked again: a row may have become another one since it was found.
  const { numAffectedRows } = await sql`
    DELETE FROM ${sql.table(table)} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${sql.table(table)} WHERE ${isOld} LIMIT ${limit}
    )) AND ${isOld}`.execute(db);
  return Number(numAffectedRows ?? 0);
}
