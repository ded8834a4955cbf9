import type { Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import type { DeliveryLane } from './schema.ts';

/** How much waits in a lane. */
export interface LaneBacklog {
  readonly lane: DeliveryLane;
  /** How long that has been due that is due longest, and that nobody has in hand. 0 where there is none. */
  readonly oldestSeconds: number;
  /** Deliveries that are due, under lease or not; about so many, of a campaign. */
  readonly waiting: number;
  /** There are more of them than were counted. */
  readonly more: boolean;
}

/** So many that are due longest are looked at, whatever the backlog. */
const MAX_DELIVERIES = 20_000;
const MAX_CHUNKS = 5_000;

/**
 * What is due in each lane and not held by a pause, of an app or of all. What a run owes that may not be sent now waits for nobody. Of one app, only what
 * is among those of all that are due longest is seen.
 */
export async function measureLanes(
  db: Db,
  appRef: number | undefined,
): Promise<readonly LaneBacklog[]> {
  const ofApp = appRef === undefined ? sql`true` : sql`app_ref = ${appRef}`;
  return db.transaction().execute(async (tx) => {
    // In the order of the index, up to the limit: see listOverdue.
    await sql`SET LOCAL enable_sort = off`.execute(tx);
    const { rows } = await sql<LaneBacklog>`
      SELECT 'message' AS lane, ${AGE} AS oldest_seconds, count(*) FILTER (WHERE ${ofApp} AND pause_id IS NULL) AS waiting,
        count(*) = ${MAX_DELIVERIES} AS more
      FROM (
        SELECT app_ref, pause_id, CASE
          WHEN ${ofApp} AND pause_id IS NULL AND (lease_until IS NULL OR lease_until <= now()) THEN next_attempt_at END AS at
        FROM deliveries WHERE state = 'pending' AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT ${MAX_DELIVERIES}
      ) d
      UNION ALL
      SELECT 'campaign', ${AGE}, coalesce(sum(size), 0)::bigint, count(*) = ${MAX_CHUNKS}
      FROM (
        SELECT c.size, CASE WHEN NOT c.leased THEN c.due_at END AS at
        FROM campaign_runs r CROSS JOIN LATERAL (
          SELECT due_at, leased, length(outcomes) AS size FROM campaign_chunks
          WHERE run_id = r.id AND due_at <= now() OFFSET 0
        ) c
        WHERE r.finished_at IS NULL AND r.state IN ('materialising', 'running') AND NOT r.dry_run AND ${ofApp}
        LIMIT ${MAX_CHUNKS}
      ) c`.execute(tx);
    return rows;
  });
}

const AGE = sql`coalesce(extract(epoch FROM now() - min(at)), 0)::float8`;

/** The runs that are not over, the latest first. */
export async function listOpenRunIds(
  db: Db,
  appRef: number | undefined,
  limit: number,
): Promise<readonly string[]> {
  const found = await db
    .selectFrom('campaignRuns')
    .select('id')
    .where('finishedAt', 'is', null)
    .$if(appRef !== undefined, (query) => query.where('appRef', '=', appRef ?? 0))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return found.map(({ id }) => id);
}

/** Token faults that the guard does not believe until an operator decides. */
export interface HeldTokenFaults {
  readonly appId: string;
  readonly provider: Provider;
  readonly reason: string;
  readonly devices: number;
  readonly since: Date;
}

const MAX_HELD = 10_000;

/** Of the first ten thousand that are held, the most first. */
export async function groupHeldFaults(
  db: Db,
  appRef: number | undefined,
  limit: number,
): Promise<readonly HeldTokenFaults[]> {
  const { rows } = await sql<HeldTokenFaults>`
    SELECT a.app_id, f.provider, f.reason, f.devices, f.since FROM (
      SELECT app_ref, provider, reason, count(*)::integer AS devices, min(noted_at) AS since FROM (
        SELECT * FROM token_faults
        WHERE state = 'held' ${appRef === undefined ? sql`` : sql`AND app_ref = ${appRef}`} LIMIT ${MAX_HELD}
      ) held GROUP BY 1, 2, 3
    ) f JOIN apps a ON a.id = f.app_ref
    ORDER BY f.devices DESC, a.app_id, f.provider, f.reason LIMIT ${limit}`.execute(db);
  return rows;
}

/** A callback that does not get through. */
export interface TroubledCallback {
  readonly id: number;
  readonly appId: string;
  readonly failures: number;
  readonly failingSince: Date | null;
  readonly lastResult: string | null;
  readonly suspendedAt: Date | null;
  readonly suspendedBecause: 'gone' | 'failing' | null;
}

/** Callbacks that are suspended, or failed the last time, the latest to begin first. */
export async function listTroubledCallbacks(
  db: Db,
  appRef: number | undefined,
  limit: number,
): Promise<readonly TroubledCallback[]> {
  const { rows } = await sql<TroubledCallback>`
    SELECT c.id, a.app_id, c.failures, c.failing_since, c.last_result, c.suspended_at, c.suspended_because
    FROM callback_endpoints c JOIN apps a ON a.id = c.app_ref
    WHERE (c.suspended_at IS NOT NULL OR c.failures > 0) ${appRef === undefined ? sql`` : sql`AND c.app_ref = ${appRef}`}
    ORDER BY coalesce(c.suspended_at, c.failing_since) DESC NULLS LAST, c.id DESC LIMIT ${limit}`.execute(
    db,
  );
  return rows;
}
