import { sql } from 'kysely';

import type { Db } from '../database.ts';

/** Codes of `campaign_run_counts` that are no outcomes. */
export const TARGETED = -1;
export const AMBIGUOUS = -2;
/** The shard that freezing adds to; dispatchers have the others. */
export const FREEZING_SHARD = -1;

/** Codes from 40 on are failures. */
export async function sumFinal(
  db: Db,
  id: string,
): Promise<{ readonly sent: number; readonly failed: number }> {
  const { rows } = await sql<{ sent: number; failed: number }>`
    SELECT coalesce(sum(count) FILTER (WHERE code = 1), 0)::bigint AS sent,
      coalesce(sum(count) FILTER (WHERE code >= 40), 0)::bigint AS failed
    FROM campaign_run_counts WHERE run_id = ${id}`.execute(db);
  return rows[0] ?? { sent: 0, failed: 0 };
}

/** Measures how fast runs that are not over go, where the last look is two seconds old: the mean of this span and of before. */
export async function measureRuns(db: Db): Promise<void> {
  await sql`
    WITH final AS (
      SELECT r.id, coalesce((
        SELECT sum(c.count) FROM campaign_run_counts c WHERE c.run_id = r.id AND c.code NOT IN (-2, -1, 0, 2)
      ), 0)::bigint AS count
      FROM campaign_runs r
      WHERE r.finished_at IS NULL AND r.started_at IS NOT NULL
        AND (r.measured_at IS NULL OR r.measured_at < now() - interval '2 s')
      -- Not one whose audience is being frozen right now: nobody is to wait for a figure.
      FOR NO KEY UPDATE OF r SKIP LOCKED
    )
    UPDATE campaign_runs r SET measured_at = now(), measured_final = final.count,
      measured_rate = CASE WHEN r.measured_at IS NULL THEN 0 ELSE (
        (final.count - r.measured_final) / extract(epoch FROM now() - r.measured_at)
        + CASE WHEN r.measured_rate = 0 THEN (final.count - r.measured_final) / extract(epoch FROM now() - r.measured_at)
          ELSE r.measured_rate END
      ) / 2 END
    FROM final WHERE r.id = final.id`.execute(db);
}
