import {
  controlRun,
  SENDING_STATES,
  type RunControl,
  type RunReason,
  type RunState,
} from '@heliograph/core';
import { sql } from 'kysely';

import { tellRuns } from './callback-writes.ts';
import type { Db } from './database.ts';
import type { CampaignMessage } from './schema.ts';

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
  /** W3C `traceparent` of what asked for it, where that is traced. */
  readonly traceParent?: string | undefined;
}

/** A campaign whose row is held until the transaction ends. */
export interface HeldCampaign {
  readonly appRef: number;
  readonly appId: string;
  readonly message: CampaignMessage;
  readonly sent: boolean;
}

/** Holds the campaign's row: nobody else starts a run of it, changes its users or deletes it before the transaction ends. */
export async function holdCampaign(tx: Db, id: number): Promise<HeldCampaign | undefined> {
  return tx
    .selectFrom('campaigns')
    .innerJoin('apps', 'apps.id', 'campaigns.appRef')
    .select(['appRef', 'apps.appId', 'message', 'sent'])
    .where('campaigns.id', '=', id)
    .modifyEnd(sql`FOR NO KEY UPDATE OF campaigns`)
    .executeTakeFirst();
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
      traceParent: run.traceParent ?? null,
    })
    .execute();
}

/** A run as callers see it. */
export interface Run {
  readonly id: string;
  readonly campaignId: number;
  readonly appId: string;
  readonly state: RunState;
  readonly reason: RunReason | null;
  readonly dryRun: boolean;
  readonly ratePerSecond: number | null;
  readonly canaryPercent: number | null;
  readonly maxFailurePercent: number | null;
  readonly createdAt: Date;
  readonly startAt: Date;
  readonly startedAt: Date | null;
  readonly materialisedAt: Date | null;
  readonly approvedAt: Date | null;
  readonly finishedAt: Date | null;
  /** When what became of its single devices was forgotten; the sums stay. */
  readonly devicesPurgedAt: Date | null;
  readonly users: number;
  readonly usersWithoutDevice: number;
  readonly measuredRate: number;
}

/** Any run, of a campaign that was deleted since too. */
export async function findRun(db: Db, id: string): Promise<Run | undefined> {
  return selectRuns(db).where('campaignRuns.id', '=', id).executeTakeFirst();
}

/** The campaign's latest run that is none of counting only. */
export async function findLatestRun(db: Db, campaignId: number): Promise<Run | undefined> {
  return selectRuns(db)
    .where('campaignId', '=', campaignId)
    .where('dryRun', '=', false)
    .orderBy('campaignRuns.id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Runs of a campaign, the latest first, dry ones too. */
export async function listRuns(
  db: Db,
  campaignId: number,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<readonly Run[]> {
  return selectRuns(db)
    .where('campaignId', '=', campaignId)
    .orderBy('campaignRuns.id', 'desc')
    .offset(offset)
    .limit(limit)
    .execute();
}

function selectRuns(db: Db) {
  return db
    .selectFrom('campaignRuns')
    .innerJoin('apps', 'apps.id', 'campaignRuns.appRef')
    .select([
      'campaignRuns.id',
      'campaignId',
      'apps.appId',
      'state',
      'reason',
      'dryRun',
      'ratePerSecond',
      'canaryPercent',
      'maxFailurePercent',
      'campaignRuns.createdAt',
      'startAt',
      'startedAt',
      'materialisedAt',
      'approvedAt',
      'finishedAt',
      'devicesPurgedAt',
      'users',
      'usersWithoutDevice',
      'measuredRate',
    ]);
}

/** How the campaign's run stands that is not over: scheduled, sending, paused, halted, or being settled after a cancel. */
export async function findOpenRunState(db: Db, campaignId: number): Promise<RunState | undefined> {
  const row = await db
    .selectFrom('campaignRuns')
    .select('state')
    .where('campaignId', '=', campaignId)
    .where('finishedAt', 'is', null)
    .where('dryRun', '=', false)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.state;
}

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

/** Lets the rest of the audience go. Belongs into a transaction that holds the run. */
export async function approveCanary(tx: Db, id: string): Promise<void> {
  await tx
    .updateTable('campaignRuns')
    .set({ approvedAt: sql<Date>`now()` })
    .where('id', '=', id)
    .where('approvedAt', 'is', null)
    .execute();
  // While the audience is being frozen, its end does this.
  await sql`
    UPDATE campaign_chunks SET due_at = now()
    WHERE run_id = ${id} AND due_at = 'infinity'
      AND EXISTS (SELECT FROM campaign_runs WHERE id = ${id} AND materialised_at IS NOT NULL)`.execute(
    tx,
  );
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

/** Lets the rest of a run go whose canary did well, unless somebody stopped or approved it meanwhile. */
export async function passCanary(db: Db, id: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const run = await tx
      .selectFrom('campaignRuns')
      .select('id')
      .where('id', '=', id)
      .where('state', 'in', [...SENDING_STATES])
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (run !== undefined) await approveCanary(tx, id);
  });
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

/**
 * Forgets who held which push token where no run needs to know any more: a day later, if none that is older is under way. What was
 * released before a run started may have been visible only after that, so an hour more is kept for it.
 */
export async function deleteOldTokenReleases(db: Db): Promise<void> {
  await sql`
    DELETE FROM token_releases WHERE released_at < least(now() - interval '1 day', (
      SELECT min(started_at) - interval '1 hour' FROM campaign_runs WHERE finished_at IS NULL))`.execute(
    db,
  );
}

/** Whether every delivery of the canary is final. */
export async function isCanaryDone(db: Db, id: string): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM campaign_chunks WHERE run_id = ${id} AND canary AND due_at IS NOT NULL LIMIT 1`.execute(
    db,
  );
  return rows.length === 0;
}
