import { setTimeout as sleep } from 'node:timers/promises';

import { findRun, type Run } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';

const POLL_MS = 100;

/** Resolves once the run is over or stands still, after `syncWaitMs`, or when it is pointless: nobody waits for the answer. */
export async function waitForRun(
  { db, syncWaitMs, draining }: Pick<CampaignDeps, 'db' | 'syncWaitMs' | 'draining'>,
  runId: string,
  isPointless: () => boolean,
): Promise<void> {
  const deadline = performance.now() + syncWaitMs;
  while (!draining.aborted && !isPointless()) {
    // The run is stored: a database that is away for a moment is no reason to refuse.
    const run = await findRun(db, runId).catch(() => undefined);
    if (run !== undefined && standsStill(run)) return;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return;
    await sleep(Math.min(POLL_MS, leftMs));
  }
}

function standsStill({ finishedAt, state }: Run): boolean {
  return finishedAt !== null || state === 'paused' || state === 'halted';
}
