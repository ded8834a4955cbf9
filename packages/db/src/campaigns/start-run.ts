import { sql } from 'kysely';

import { tellRuns } from '../callback-writes.ts';
import type { Db } from '../database.ts';
import type { CampaignMessage } from '../schema.ts';

/** How a run is to be sent. */
export interface RunOptions {
  /** Counts the audience and sends nothing. */
  readonly dryRun: boolean;
  /** Not started before; undefined: at once. */
  readonly startAt: Date | undefined;
  /** Messages per second over all dispatchers; undefined: as fast as they go. */
  readonly ratePerSecond: number | undefined;
  /** So much of the audience is sent first; undefined: no canary. */
  readonly canaryPercent: number | undefined;
  /** Of what was sent or failed, so much may have failed; undefined: any. */
  readonly maxFailurePercent: number | undefined;
}

export interface NewRun extends RunOptions {
  /** From `createRunId`. */
  readonly id: string;
  readonly campaignId: number;
  readonly appRef: number;
  readonly message: CampaignMessage;
  readonly validUntil: Date | undefined;
}

/** Stores a run that is scheduled; a dispatcher starts it when its time has come. */
export async function insertRun(tx: Db, run: NewRun): Promise<void> {
  await tx
    .insertInto('campaignRuns')
    .values({
      id: run.id,
      campaignId: run.campaignId,
      appRef: run.appRef,
      message: JSON.stringify(run.message),
      validUntil: run.validUntil ?? null,
      state: 'scheduled',
      reason: null,
      dryRun: run.dryRun,
      ratePerSecond: run.ratePerSecond ?? null,
      canaryPercent: run.canaryPercent ?? null,
      maxFailurePercent: run.maxFailurePercent ?? null,
      startAt: run.startAt ?? sql<Date>`now()`,
    })
    .execute();
}

/** Up to so many users it is quicker to look up each one's devices than to read the app's. */
const FEW_USERS = 20_000;

/** Starts the scheduled runs whose time has come; answers their ids. What is registered or added from now on is not in their audience. */
export async function startDueRuns(db: Db): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    WITH started AS (
      UPDATE campaign_runs r SET state = 'materialising', started_at = now(),
        last_device_id = coalesce((SELECT max(d.id) FROM devices d WHERE d.app_ref = r.app_ref), 0),
        last_user_position = coalesce((SELECT max(u.position) FROM campaign_users u WHERE u.campaign_id = r.campaign_id), 0),
        few_users = NOT EXISTS (
          SELECT FROM campaign_users u WHERE u.campaign_id = r.campaign_id OFFSET ${FEW_USERS} LIMIT 1)
      WHERE r.state = 'scheduled' AND r.start_at <= now() AND r.finished_at IS NULL
      RETURNING r.*
    ), told AS (${tellRuns('run.started', sql`started`)})
    SELECT id FROM started`.execute(db);
  return rows.map((row) => row.id);
}
