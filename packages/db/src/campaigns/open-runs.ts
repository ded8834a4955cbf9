import type { RunReason, RunState } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from '../database.ts';

/** A run that is not over, as the dispatchers keep it going. */
export interface OpenRun {
  readonly id: string;
  readonly campaignId: number;
  readonly state: RunState;
  readonly reason: RunReason | null;
  readonly dryRun: boolean;
  readonly canaryPercent: number | null;
  readonly maxFailurePercent: number | null;
  readonly isDue: boolean;
  readonly isMaterialised: boolean;
  readonly isCounted: boolean;
  readonly isApproved: boolean;
  /** Its `validUntil` is over. */
  readonly isExpired: boolean;
  /** What had been sent and failed when an operator resumed it last. */
  readonly judgedSent: number;
  readonly judgedFailed: number;
  /** There is a chunk with something to do now. */
  readonly hasDue: boolean;
  /** There is a chunk that is owed. */
  readonly isOwed: boolean;
}

/** Every run that is not over, the oldest first. */
export async function listOpenRuns(db: Db): Promise<readonly OpenRun[]> {
  const { rows } = await sql<OpenRun>`
    SELECT r.id, r.campaign_id, r.state, r.reason, r.dry_run, r.canary_percent, r.max_failure_percent,
      r.judged_sent, r.judged_failed, r.start_at <= now() AS is_due, r.materialised_at IS NOT NULL AS is_materialised,
      r.users_counted_at IS NOT NULL AS is_counted, r.approved_at IS NOT NULL AS is_approved,
      coalesce(r.valid_until <= now(), false) AS is_expired,
      EXISTS (SELECT FROM campaign_chunks c WHERE c.run_id = r.id AND c.due_at <= now()) AS has_due,
      EXISTS (SELECT FROM campaign_chunks c WHERE c.run_id = r.id AND c.due_at IS NOT NULL) AS is_owed
    FROM campaign_runs r WHERE r.finished_at IS NULL ORDER BY r.id`.execute(db);
  return rows;
}

/** What a dispatcher must know to go on sending a run. */
export interface RunStandingNow {
  readonly id: string;
  readonly state: RunState;
  readonly ratePerSecond: number | null;
  readonly isMaterialised: boolean;
}

/** How the runs stand now; those that do not exist are missing. */
export async function readRunStandings(
  db: Db,
  ids: readonly string[],
): Promise<readonly RunStandingNow[]> {
  const { rows } = await sql<RunStandingNow>`
    SELECT id, state, rate_per_second, materialised_at IS NOT NULL AS is_materialised
    FROM campaign_runs WHERE id = ANY (${ids}::uuid[])`.execute(db);
  return rows;
}
