import type { Provider } from '@heliograph/core';
import { sql, type RawBuilder } from 'kysely';

import type { Db } from './database.ts';
import { deleteBatch } from './delete-batch.ts';
import { toPurged, type Purged } from './purged.ts';
import type { DeliveryLane, FailureState } from './schema.ts';

type Part = RawBuilder<unknown>;

/** Connections add to different rows, so that few wait for each other. */
const SHARDS = 16;
const SHARD = sql`(pg_backend_pid() % ${sql.lit(SHARDS)})::smallint`;
const HOUR_NOW = sql`date_trunc('hour', now(), 'UTC')`;

/**
 * Part of a statement: counts those of the deliveries that failed for good or expired. `deliveries` names a CTE with `app_ref`,
 * `provider`, `state`, `reason`, and `count` of each.
 */
export function countFailures(lane: DeliveryLane, deliveries: Part): Part {
  return sql`
    INSERT INTO failure_counts AS t (app_ref, hour, provider, lane, state, reason, shard, failed, first_at, last_at)
    SELECT f.app_ref, ${HOUR_NOW}, f.provider, ${sql.lit(lane)}, f.state, coalesce(f.reason, ''), ${SHARD}, sum(f.count), now(), now()
    FROM ${deliveries} f WHERE f.state IN ('failed', 'expired')
    GROUP BY f.app_ref, f.provider, f.state, coalesce(f.reason, '')
    -- Rows are locked in one order by all, so that none waits for another that waits for it.
    ORDER BY 1, 3, 5, 6
    ON CONFLICT (app_ref, hour, provider, lane, state, reason, shard) DO UPDATE
      SET failed = t.failed + excluded.failed, first_at = least(t.first_at, excluded.first_at),
        last_at = greatest(t.last_at, excluded.last_at)`;
}

/**
 * Part of a statement: notes that they are failures no more. `deliveries` names a CTE with `app_ref`, `provider`, `state`, `reason` and
 * `finished_at`, of those that were put back.
 */
export function countReplayed(lane: DeliveryLane, deliveries: Part): Part {
  return sql`
    INSERT INTO failure_counts AS t (app_ref, hour, provider, lane, state, reason, shard, failed, replayed, first_at, last_at)
    SELECT f.app_ref, date_trunc('hour', f.finished_at, 'UTC'), f.provider, ${sql.lit(lane)}, f.state, coalesce(f.reason, ''), ${SHARD},
      0, count(*), min(f.finished_at), max(f.finished_at)
    FROM ${deliveries} f
    GROUP BY 1, 2, 3, 5, 6
    ORDER BY 1, 2, 3, 5, 6
    ON CONFLICT (app_ref, hour, provider, lane, state, reason, shard) DO UPDATE SET replayed = t.replayed + excluded.replayed`;
}

/** What failed for one reason. */
export interface FailureCause {
  readonly appId: string;
  readonly appRef: number;
  readonly provider: Provider;
  readonly lane: DeliveryLane;
  readonly state: FailureState;
  readonly reason: string;
  /** In the period, and not put back since. */
  readonly count: number;
  /** In the period, put back since or not. */
  readonly failed: number;
  readonly replayed: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

export interface FailuresQuery {
  /** Undefined: of every app. */
  readonly appRef: number | undefined;
  readonly since: Date;
  readonly until: Date;
  readonly provider?: Provider | undefined;
  readonly lane?: DeliveryLane | undefined;
  readonly state?: FailureState | undefined;
  readonly reason?: string | undefined;
  readonly limit: number;
}

/** The causes of the whole hours that the period touches, those that concern most first. What it costs depends on the causes alone. */
export async function listFailureCauses(
  db: Db,
  { appRef, since, until, provider, lane, state, reason, limit }: FailuresQuery,
): Promise<readonly FailureCause[]> {
  const { rows } = await sql<FailureCause>`
    SELECT a.app_id, f.* FROM (
      SELECT app_ref, provider, lane, state, reason, greatest(sum(failed) - sum(replayed), 0)::bigint AS count,
        sum(failed)::bigint AS failed, sum(replayed)::bigint AS replayed, min(first_at) AS first_at, max(last_at) AS last_at
      FROM failure_counts
      WHERE hour >= date_trunc('hour', ${since}::timestamptz, 'UTC') AND hour < ${until}
        ${appRef === undefined ? sql`` : sql`AND app_ref = ${appRef}`}
        ${provider === undefined ? sql`` : sql`AND provider = ${provider}`}
        ${lane === undefined ? sql`` : sql`AND lane = ${lane}`}
        ${state === undefined ? sql`` : sql`AND state = ${state}`}
        ${reason === undefined ? sql`` : sql`AND reason = ${reason}`}
      GROUP BY app_ref, provider, lane, state, reason
    ) f JOIN apps a ON a.id = f.app_ref
    ORDER BY f.count DESC, f.failed DESC, f.last_at DESC, f.app_ref, f.lane, f.provider, f.state, f.reason LIMIT ${limit}`.execute(
    db,
  );
  return rows;
}

/** Forgets the counts of hours before then. */
export async function purgeFailureCounts(db: Db, before: Date, limit: number): Promise<Purged> {
  return toPurged(await deleteBatch(db, 'failure_counts', sql`hour < ${before}`, limit), limit);
}
