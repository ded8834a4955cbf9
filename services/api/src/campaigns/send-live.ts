import { createRunId, Refusal, toCreationMs, toExpiresAt } from '@heliograph/core';
import {
  claimIdempotencyKey,
  findIdempotencyEntry,
  findLatestRun,
  findOpenRunState,
  holdCampaign,
  insertRun,
  type Db,
  type HeldCampaign,
  type IdempotencyEntry,
  type RunOptions,
} from '@heliograph/db';

import type { IdempotentRequest } from '../messages/accept-once.ts';
import { getSendingApp } from '../messages/app-directory.ts';
import { refuseOversized } from '../messages/refuse-oversized.ts';
import type { RequestOrigin } from '../origin.ts';
import type { CampaignDeps } from './campaign-deps.ts';
import { noSuchCampaign } from './get-campaign.ts';
import { getRunProgress, type RunProgress } from './run-progress.ts';
import { waitForRun } from './wait-for-run.ts';

export interface LiveSend extends RunOptions {
  readonly campaignId: number;
  /** Sends again what was sent already. */
  readonly resend: boolean;
  readonly idempotency?: IdempotentRequest;
  readonly origin: RequestOrigin;
  /** Whether the caller does not wait for the answer any more. */
  readonly isGone: () => boolean;
}

interface AcceptedRun {
  readonly runId: string;
  readonly isNew: boolean;
  /** Whether an earlier request with the same Idempotency-Key led to it. */
  readonly replayed: boolean;
}

const MAX_AHEAD_DAYS = 366;
const DAY_MS = 24 * 3_600_000;

/**
 * Makes a run of the campaign, and waits until it is over or stands still, up to the wait limit; one that is to start later is not waited
 * for. A campaign that has a run, however that went, gets another one with `resend` only, and when no run is open: otherwise the answer
 * is the run that there is. A dry run neither counts as one nor minds one.
 */
export async function sendLive(
  deps: CampaignDeps,
  request: LiveSend,
): Promise<{ readonly progress: RunProgress; readonly replayed: boolean }> {
  refuseOptions(request, deps.now());
  const { runId, isNew, replayed } = await deps.db
    .transaction()
    .execute((tx) => acceptRun(deps, tx, request));
  if (isNew && !startsLater(request, deps.now())) {
    void deps.campaignLane.announce(runId);
    await waitForRun(deps, runId, request.isGone);
  }
  return { progress: await getRunProgress(deps.db, runId), replayed };
}

function refuseOptions(
  { dryRun, startAt, ratePerSecond, canaryPercent }: LiveSend,
  now: Date,
): void {
  if (startAt !== undefined && startAt.getTime() > now.getTime() + MAX_AHEAD_DAYS * DAY_MS)
    throw new Refusal('invalid_request', `startAt is more than ${MAX_AHEAD_DAYS} days ahead.`);
  if (!dryRun) return;
  for (const [name, value] of Object.entries({ startAt, ratePerSecond, canaryPercent }))
    if (value !== undefined)
      throw new Refusal('invalid_request', `A dry run sends nothing, so it takes no ${name}.`);
}

/** Requests for the same campaign come here one by one: each holds its row. */
async function acceptRun(
  deps: Pick<CampaignDeps, 'fcm' | 'now'>,
  tx: Db,
  request: LiveSend,
): Promise<AcceptedRun> {
  const { campaignId, dryRun, resend, idempotency } = request;
  const campaign = await holdCampaign(tx, campaignId);
  if (idempotency !== undefined) {
    const entry = await findIdempotencyEntry(tx, idempotency);
    if (entry !== undefined) return toReplay(entry, idempotency);
  }
  if (campaign === undefined) throw noSuchCampaign();

  const latest = await findLatestRun(tx, campaignId);
  const existing = dryRun || resend ? undefined : latest;
  if (!dryRun && resend) await refuseOpenRun(tx, campaignId);
  const runId = existing?.id ?? createIdAfter(latest?.id, deps.now());
  if (idempotency !== undefined) {
    const entry = await claimIdempotencyKey(tx, idempotency, idempotency.bodyHash, [runId]);
    if (entry !== undefined) return toReplay(entry, idempotency);
  }
  if (existing === undefined) await storeRun(deps, tx, campaign, { ...request, runId });
  return { runId, isNew: existing === undefined, replayed: false };
}

function toReplay(
  { bodyHash, messageIds: [runId] }: IdempotencyEntry,
  request: IdempotentRequest,
): AcceptedRun {
  if (!bodyHash.equals(request.bodyHash))
    throw new Refusal('conflict', 'This Idempotency-Key was used with another request body.');
  if (runId === undefined) throw new Error('the entry of an Idempotency-Key names no run');
  return { runId, isNew: false, replayed: true };
}

async function refuseOpenRun(tx: Db, campaignId: number): Promise<void> {
  const state = await findOpenRunState(tx, campaignId);
  if (state !== undefined)
    throw new Refusal(
      'conflict',
      `The campaign has a run that is ${state} and not over; it can not be sent again yet.`,
    );
}

/** Refuses an app without any credential, and a payload that a platform of the app would not take as it is configured now. */
async function storeRun(
  { fcm, now }: Pick<CampaignDeps, 'fcm' | 'now'>,
  tx: Db,
  { appId, appRef, message }: HeldCampaign,
  { runId, ...request }: LiveSend & { readonly runId: string },
): Promise<void> {
  const { routes } = await getSendingApp(tx, appId);
  const { validUntil: until, ...body } = message;
  const validUntil = until === undefined ? undefined : new Date(until);
  const expiresAt = toExpiresAt(validUntil, false, now());
  refuseOversized({ id: runId, body, silent: false, priority: 'HIGH', expiresAt }, routes, fcm);
  const { campaignId, dryRun, startAt, ratePerSecond, canaryPercent, maxFailurePercent } = request;
  await insertRun(tx, {
    id: runId,
    campaignId,
    appRef,
    message,
    validUntil,
    dryRun,
    startAt: startsLater({ startAt }, now()) ? startAt : undefined,
    ratePerSecond,
    canaryPercent,
    maxFailurePercent,
    traceParent: request.origin.span?.traceParent,
  });
}

function startsLater({ startAt }: Pick<LiveSend, 'startAt'>, now: Date): boolean {
  return startAt !== undefined && startAt > now;
}

/** The latest run is the one with the greatest id, also where the clocks of two processes differ. */
function createIdAfter(latest: string | undefined, now: Date): string {
  const after = latest === undefined ? 0 : toCreationMs(latest) + 1;
  return createRunId(Math.max(now.getTime(), after));
}
