import { sql } from 'kysely';

import type { Db } from './database.ts';

/** What a look for things that are too old came to. */
export interface Purged {
  /** Partitions that were dropped, by their names. */
  readonly dropped: readonly string[];
  /** Partitions that are old enough, but in which something is not over yet. */
  readonly owing: readonly string[];
  /** Partitions that could not be locked. */
  readonly busy: readonly string[];
  /** Rows that were deleted one by one. */
  readonly rows: number;
  /** There are more such rows. */
  readonly more: boolean;
}

export const NOTHING_PURGED: Purged = { dropped: [], owing: [], busy: [], rows: 0, more: false };

/** Rows that were deleted one by one, `limit` at most: as many say that there may be more. */
export function toPurged(rows: number, limit: number): Purged {
  return { ...NOTHING_PURGED, rows, more: rows === limit };
}

/** Whether it is time for another round of forgetting: of all who ask, one is told so in `everyMs`. */
export async function claimRetentionRound(db: Db, everyMs: number): Promise<boolean> {
  const { rows } = await sql`
    INSERT INTO retention_rounds AS r (began_at) VALUES (now())
    ON CONFLICT (only_row) DO UPDATE SET began_at = now()
      WHERE r.began_at <= now() - ${everyMs}::float8 * interval '1 ms'
    RETURNING 1`.execute(db);
  return rows.length === 1;
}
