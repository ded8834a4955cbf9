import { sql } from 'kysely';

import type { Db } from '../database.ts';

/** Where it is noted what was taken, by the ids of the source. */
export type TakenTable = 'imported_devices' | 'imported_campaigns' | 'imported_campaign_users';

/** Rows of a page by their difference from what was taken. */
export interface Comparison {
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
}

/** Writes nothing. Without a fingerprint a row that was taken counts as unchanged. */
export async function compareWithTaken(
  db: Db,
  table: TakenTable,
  importRef: number,
  rows: readonly { readonly sourceId: number; readonly fingerprint?: string }[],
): Promise<Comparison> {
  const given = rows.map(({ sourceId, fingerprint }) => ({ source_id: sourceId, fingerprint }));
  const fingerprint =
    table === 'imported_campaign_users' ? sql`NULL::bytea` : sql.ref('t.fingerprint');
  const { rows: counted } = await sql<Comparison>`
    WITH compared AS (
      SELECT t.source_id IS NULL AS added, coalesce(${fingerprint} <> decode(g.fingerprint, 'hex'), false) AS updated
      FROM json_to_recordset(${JSON.stringify(given)}::json) AS g (source_id bigint, fingerprint text)
      LEFT JOIN ${sql.table(table)} t ON t.import_ref = ${importRef} AND t.source_id = g.source_id
    )
    SELECT count(*) FILTER (WHERE added) AS added, count(*) FILTER (WHERE updated) AS updated,
      count(*) FILTER (WHERE NOT added AND NOT updated) AS unchanged FROM compared`.execute(db);
  return counted[0] ?? { added: 0, updated: 0, unchanged: 0 };
}
