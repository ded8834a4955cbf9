import { setTimeout as sleep } from 'node:timers/promises';

import { DEFERRED, OWED, SENT } from '@heliograph/core';
import {
  addCampaignUsers,
  AMBIGUOUS,
  type Db,
  findLatestRun,
  listRunTallies,
  type RunTally,
  TARGETED,
} from '@heliograph/db';
import { sql } from 'kysely';

import { toApnsUser } from './devices.ts';
import { PUSH_BODY } from './load-request.ts';
import type { BenchSandbox, ReceivedPush } from './sandbox.ts';
import type { Stack } from './stack.ts';

const POLL_MS = 20;
/** Looking at the sandbox costs it more the more it has received. */
const SLOW_POLL_MS = 100;
/** A run that gets no further for so long is stuck. */
const STUCK_AFTER_MS = 60_000;
/** Codes of what is owed still, and of sums of something else. */
const NOT_FINAL: readonly number[] = [OWED, DEFERRED, TARGETED, AMBIGUOUS];

/** A campaign without users, made by the api; of the stack's own app unless told otherwise. */
export async function createCampaign(
  { client, appId: ownApp }: Stack,
  appId = ownApp,
): Promise<number> {
  const request = { appId, message: PUSH_BODY };
  const { id } = await client.call<{ readonly id: number }>('/push/campaign/create', request);
  return id;
}

const USERS_PER_STATEMENT = 100_000;

/** Adds the users of the first `count` devices that `insertApnsDevices` made. */
export async function addApnsUsers(
  db: Db,
  campaignId: number,
  count: number,
  firstDevice = 0,
): Promise<void> {
  for (let from = 0; from < count; from += USERS_PER_STATEMENT) {
    const length = Math.min(USERS_PER_STATEMENT, count - from);
    const some = Array.from({ length }, (_, n) => toApnsUser(from + n, firstDevice));
    await addCampaignUsers(db, campaignId, some);
  }
  // As autovacuum would have left it long ago; it shall not do that while something is measured.
  await sql`VACUUM ANALYZE campaign_users`.execute(db);
}

/** A run as the bench follows it. */
export interface BenchRun {
  readonly id: string;
  /** When the request was made that led to it, ms since the epoch. */
  readonly requestedAtMs: number;
  /** Resolves when the api has answered, which waits for the run; rejects if it refused. */
  readonly answered: Promise<unknown>;
}

/** Sends the campaign, once more if need be. Resolves as soon as the run is stored. */
export async function startRun({ client, db }: Stack, campaignId: number): Promise<BenchRun> {
  const before = await findLatestRun(db, campaignId);
  const requestedAtMs = Date.now();
  const answered = client.call(`/push/campaign/send/live/${campaignId}`, { resend: true });
  let refused = false;
  answered.catch(() => (refused = true));
  for (;;) {
    const run = await findLatestRun(db, campaignId);
    if (run !== undefined && run.id !== before?.id) return { id: run.id, requestedAtMs, answered };
    if (refused) await answered;
    await sleep(POLL_MS);
  }
}

/** Waits until the run is over; throws when it gets no further. */
export async function waitUntilOver(db: Db, { id, answered }: BenchRun): Promise<RunTally> {
  let final = -1;
  let progressAt = performance.now();
  for (;;) {
    const run = await getTally(db, id);
    if (run.finishedAt !== null) {
      await answered;
      return run;
    }
    const now = sumFinal(run);
    if (now !== final) progressAt = performance.now();
    final = now;
    if (performance.now() - progressAt > STUCK_AFTER_MS)
      throw new Error(`the run is ${run.state} and got no further than ${final} deliveries`);
    await sleep(SLOW_POLL_MS);
  }
}

async function getTally(db: Db, runId: string): Promise<RunTally> {
  const [run] = await listRunTallies(db, [runId]);
  if (run === undefined) throw new Error('the run is gone');
  return run;
}

function sumFinal({ counts }: RunTally): number {
  return counts
    .filter(({ code }) => !NOT_FINAL.includes(code))
    .reduce((sum, { count }) => sum + count, 0);
}

/** What a run that is over left behind. */
export interface RunLedger {
  readonly targeted: number;
  readonly sent: number;
  /** By how much the sums that are kept differ from each other and from the chunks' bytes. */
  readonly imbalance: number;
}

export async function readRunLedger(db: Db, runId: string): Promise<RunLedger> {
  const run = await getTally(db, runId);
  const chunks = await db
    .selectFrom('campaignChunks')
    .select('outcomes')
    .where('runId', '=', runId)
    .execute();
  const ofBytes = new Map<number, number>();
  for (const { outcomes } of chunks)
    for (const code of outcomes) ofBytes.set(code, (ofBytes.get(code) ?? 0) + 1);

  const devices = chunks.reduce((sum, { outcomes }) => sum + outcomes.length, 0);
  const targeted = countOf(run, TARGETED);
  const codes = new Set([...ofBytes.keys(), ...run.counts.map(({ code }) => code)]);
  const differences = [...codes]
    .filter((code) => !NOT_FINAL.includes(code))
    .map((code) => Math.abs(countOf(run, code) - (ofBytes.get(code) ?? 0)));
  return {
    targeted,
    sent: countOf(run, SENT),
    imbalance: [targeted - devices, targeted - sumFinal(run), ...differences].reduce(
      (sum, difference) => sum + Math.abs(difference),
      0,
    ),
  };
}

function countOf({ counts }: RunTally, wanted: number): number {
  return counts.filter(({ code }) => code === wanted).reduce((sum, { count }) => sum + count, 0);
}

/** Waits until more than `count` pushes have reached APNs; throws when there are none for long. */
export async function waitForPushes(sandbox: BenchSandbox, count: number): Promise<void> {
  let seen = -1;
  let progressAt = performance.now();
  for (;;) {
    const { accepted } = (await sandbox.received(0)).apns;
    if (accepted > count) return;
    if (accepted !== seen) progressAt = performance.now();
    seen = accepted;
    if (performance.now() - progressAt > STUCK_AFTER_MS)
      throw new Error(`no more than ${accepted} pushes arrived`);
    await sleep(SLOW_POLL_MS);
  }
}

/** When the last push arrived, ms since the epoch. */
export async function readLastArrival(sandbox: BenchSandbox): Promise<number> {
  return toArrival((await sandbox.received(1)).apns.pushes.at(-1));
}

function toArrival(push: ReceivedPush | undefined): number {
  if (push === undefined) throw new Error('no push arrived');
  return Date.parse(push.at);
}

/** Waits until nothing has arrived for `forMs`. */
export async function waitForSilence(sandbox: BenchSandbox, forMs: number): Promise<void> {
  const startedAtMs = Date.now();
  for (;;) {
    const lastAtMs = await readLastArrival(sandbox);
    if (Date.now() - lastAtMs >= forMs) return;
    if (Date.now() - startedAtMs > STUCK_AFTER_MS) throw new Error('there are still pushes');
    await sleep(SLOW_POLL_MS);
  }
}
