import { SENDING_STATES, type RunReason } from '@heliograph/core';
import { sql } from 'kysely';

import { tellRuns } from '../callback-writes.ts';
import type { Db } from '../database.ts';

/**
 * Stops a run that sends, for that reason; answers false where it does not send any more, or where its canary was approved meanwhile
 * and the canary is the reason: who approves has seen it, and nobody could approve again.
 */
export async function stopRun(
  db: Db,
  id: string,
  state: 'paused' | 'halted',
  reason: RunReason,
): Promise<boolean> {
  const { rows } = await sql`
    WITH stopped AS (
      UPDATE campaign_runs SET state = ${state}, reason = ${reason}
      WHERE id = ${id} AND state = ANY (${[...SENDING_STATES]}::text[])
        AND (NOT ${isOfCanary(reason)} OR approved_at IS NULL)
      RETURNING *
    ), told AS (${tellRuns(`run.${state}`, sql`stopped`)})
    SELECT FROM stopped`.execute(db);
  return rows.length === 1;
}

function isOfCanary(reason: RunReason): boolean {
  return reason === 'canary' || reason === 'canary_failure_rate';
}

/** Halts a run whose time was over while it was paused. */
export async function haltExpired(db: Db, id: string): Promise<void> {
  await sql`
    WITH halted AS (
      UPDATE campaign_runs SET state = 'halted', reason = 'expired'
      WHERE id = ${id} AND state = 'paused' AND valid_until <= now()
      RETURNING *
    )
    ${tellRuns('run.halted', sql`halted`)}`.execute(db);
}

/**
 * Ends the run if nothing of it is owed, and marks its campaign as sent if that is how it ended. One that is halted is left to an
 * operator. Answers whether it ended.
 */
export async function finishRun(db: Db, id: string): Promise<boolean> {
  const { rows } = await sql<{ id: string }>`
    WITH finished AS (
      UPDATE campaign_runs r SET finished_at = now(),
        state = CASE WHEN state = 'cancelled' THEN 'cancelled' ELSE 'completed' END,
        reason = NULL
      -- Held first: an update is numbered before it waits for the row, and would be told before what it waited for.
      FROM (SELECT id FROM campaign_runs WHERE id = ${id} FOR NO KEY UPDATE) held
      WHERE r.id = held.id AND r.finished_at IS NULL AND r.state <> 'halted'
        AND (r.state = 'cancelled' OR (r.materialised_at IS NOT NULL AND r.users_counted_at IS NOT NULL))
        AND NOT EXISTS (SELECT FROM campaign_chunks c WHERE c.run_id = ${id} AND c.due_at IS NOT NULL)
      RETURNING r.*
    ), told AS (${tellRuns(ENDED, sql`finished`)}
    ), sent AS (
      UPDATE campaigns c SET sent = true, sent_at = f.started_at, completed_at = now()
      FROM finished f WHERE c.id = f.campaign_id AND f.state = 'completed' AND NOT f.dry_run
    )
    SELECT id FROM finished`.execute(db);
  return rows.length === 1;
}

/** The end of one that was cancelled is no news, but its counts are final then. */
const ENDED = sql`CASE WHEN r.state = 'cancelled' THEN 'run.settled' ELSE 'run.completed' END`;
