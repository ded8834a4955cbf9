import { controlRun, type RunControl, type RunState } from '@heliograph/core';
import { sql } from 'kysely';

import { tellRuns } from '../callback-writes.ts';
import type { Db } from '../database.ts';
import { approveCanary } from './canary.ts';
import { sumFinal } from './run-counts.ts';

/**
 * Does to the run what the control says, and answers its state then; undefined where there is no such run. Refuses what makes no sense
 * in the run's state. The row is held from the look to the change, so of two controls at once the second sees the first's state.
 */
export async function controlStoredRun(
  db: Db,
  id: string,
  control: RunControl,
  ratePerSecond?: number | null,
): Promise<RunState | undefined> {
  return db.transaction().execute(async (tx) => {
    const run = await tx
      .selectFrom('campaignRuns')
      .select(['state', 'reason', 'startedAt', 'materialisedAt', 'canaryPercent', 'approvedAt'])
      .where('id', '=', id)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (run === undefined) return undefined;

    const change = controlRun(
      {
        state: run.state,
        reason: run.reason,
        isStarted: run.startedAt !== null,
        isMaterialised: run.materialisedAt !== null,
        awaitsApproval: run.canaryPercent !== null && run.approvedAt === null,
      },
      control,
    );
    await tx
      .updateTable('campaignRuns')
      .set({
        state: change.state,
        reason: change.reason,
        ...(control === 'rate' ? { ratePerSecond: ratePerSecond ?? null } : {}),
      })
      .where('id', '=', id)
      .execute();
    if (change.state !== run.state) await tellControlled(tx, id, change.state);
    if (change.approves) await approveCanary(tx, id);
    if (run.state === 'halted' && control === 'resume') await forgetJudged(tx, id);
    return change.state;
  });
}

/** The run is under the caller's lock: what it reads is what was just written. */
async function tellControlled(tx: Db, id: string, state: RunState): Promise<void> {
  const type =
    state === 'paused' || state === 'cancelled' ? (`run.${state}` as const) : 'run.resumed';
  await sql`
    WITH controlled AS (SELECT * FROM campaign_runs WHERE id = ${id})
    ${tellRuns(type, sql`controlled`)}`.execute(tx);
}

/** From here on the failure rate counts what comes. */
async function forgetJudged(tx: Db, id: string): Promise<void> {
  const { sent, failed } = await sumFinal(tx, id);
  await tx
    .updateTable('campaignRuns')
    .set({ judgedSent: sent, judgedFailed: failed })
    .where('id', '=', id)
    .execute();
}
