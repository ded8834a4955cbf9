import type { Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';
import type { Run } from './runs.ts';

/** How many deliveries of a run have that code: an outcome's, TARGETED or AMBIGUOUS. */
export interface RunCount {
  readonly provider: Provider;
  readonly code: number;
  readonly count: number;
}

/** How many devices of the campaign's users are not in the audience for that reason. */
export interface RunExclusion {
  readonly provider: Provider;
  readonly reason: string;
  readonly count: number;
}

/** A run with the sums of its ledger. */
export interface RunTally extends Run {
  readonly counts: readonly RunCount[];
  readonly exclusions: readonly RunExclusion[];
}

/**
 * The runs of these ids that exist, the latest first. What it costs does not depend on their audiences: it reads the sums that are kept
 * with the ledgers, and in one statement, so that they fit each other.
 */
export async function listRunTallies(db: Db, ids: readonly string[]): Promise<readonly RunTally[]> {
  const { rows } = await sql<RunTally>`
    SELECT r.id, r.campaign_id, a.app_id, r.state, r.reason, r.dry_run,
      r.rate_per_second, r.canary_percent, r.max_failure_percent,
      r.created_at, r.start_at, r.started_at, r.materialised_at, r.approved_at, r.finished_at, r.devices_purged_at,
      r.users, r.users_without_device, r.measured_rate,
      (SELECT coalesce(json_agg(json_build_object('provider', c.provider, 'code', c.code, 'count', c.count)), '[]')
      FROM (
        SELECT provider, code, sum(count) AS count FROM campaign_run_counts WHERE run_id = r.id GROUP BY 1, 2
      ) c) AS counts,
      (SELECT coalesce(json_agg(
        json_build_object('provider', x.provider, 'reason', x.reason, 'count', x.count) ORDER BY x.reason), '[]')
      FROM campaign_run_exclusions x WHERE x.run_id = r.id) AS exclusions
    FROM campaign_runs r JOIN apps a ON a.id = r.app_ref
    WHERE r.id = ANY (${ids}::uuid[]) ORDER BY r.id DESC`.execute(db);
  return rows;
}
