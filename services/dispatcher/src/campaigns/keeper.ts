import {
  finishRun,
  haltExpired,
  isCanaryDone,
  listOpenRuns,
  measureRuns,
  passCanary,
  startDueRuns,
  stopRun,
  sumFinal,
  tryWithLock,
  type Db,
  type OpenRun,
} from '@heliograph/db';
import type { CampaignLane } from '@heliograph/queue';
import type { Logger } from 'pino';

import type { Freezer } from '../fan-out/freezer.ts';
import { judgeRun } from './judge-run.ts';
import { isSending } from './run-watch.ts';
import type { Ending } from './settle-run.ts';

/*
 * Keeps runs going: starts those whose time has come, has their audience frozen, announces those with chunks that are due, halts what
 * fails too often, and ends what is done. A timer in every dispatcher, under a lock in the database, so it depends on nothing that
 * can be lost.
 */

export const KEEP_EVERY_MS = 500;
/** So many jobs of each run wait in Redis, whatever its audience: workers put in another one for each that they take. */
const JOBS_PER_RUN = 2;

export interface Keeper {
  /** Something may have changed: looks soon, instead of at the next tick. */
  kick(): void;
  /** One round; does nothing while another dispatcher is at it. */
  run(): Promise<void>;
  /** Stops the timer and waits for what is under way. */
  close(): Promise<void>;
}

export interface KeeperDeps {
  readonly db: Db;
  readonly lane: CampaignLane;
  readonly freezer: Freezer;
  /** Ends a part of what is owed of a run; answers how many chunks. */
  readonly settle: (runId: string, ending: Ending) => Promise<number>;
  readonly log: Logger;
  readonly everyMs: number;
}

export function startKeeper(deps: KeeperDeps): Keeper {
  const { db, lane, log } = deps;
  let round: Promise<void> | undefined;
  let wanted = false;
  let closed = false;

  async function keep(): Promise<void> {
    for (const runId of await startDueRuns(db)) log.info({ runId }, 'run started');
    const runs = await listOpenRuns(db);
    if (runs.length === 0) return;
    // Announced first: what takes long with one run is not to keep the others waiting.
    await announce(runs);
    for (const run of runs) await look(run);
    await measureRuns(db);
  }

  /** Trouble with one run is not to keep the others from being looked after. */
  async function look(run: OpenRun): Promise<void> {
    try {
      if (needsFreezing(run)) deps.freezer.start(run.id);
      await endIfOver(run);
      await judge(run);
    } catch (error) {
      log.warn({ err: error, runId: run.id }, 'run not looked after; the next round tries again');
    }
  }

  async function endIfOver(run: OpenRun): Promise<void> {
    const ending = toEnding(run);
    if (ending !== undefined && run.isOwed) {
      if (ending.state === 'expired') await haltExpired(db, run.id);
      if ((await deps.settle(run.id, ending)) > 0) wanted = true;
      return;
    }
    if (run.isOwed || run.state === 'halted') return;
    if (run.state !== 'cancelled' && !(run.isMaterialised && run.isCounted)) return;
    if (await finishRun(db, run.id)) log.info({ runId: run.id }, 'run finished');
  }

  async function judge(run: OpenRun): Promise<void> {
    if (run.maxFailurePercent === null && run.canaryPercent === null) return;
    if (!isSending(run.state) || run.dryRun) return;
    const canaryDone = await isCanaryDone(db, run.id);
    const verdict = judgeRun(run, { ...(await sumFinal(db, run.id)), canaryDone });
    switch (verdict) {
      case 'go_on':
        return;
      case 'wait_for_approval':
        await stopRun(db, run.id, 'paused', 'canary');
        break;
      case 'pass_canary':
        await passCanary(db, run.id);
        break;
      case 'halt':
        await stopRun(db, run.id, 'halted', 'failure_rate');
        break;
      case 'halt_canary':
        await stopRun(db, run.id, 'halted', 'canary_failure_rate');
        break;
    }
    wanted = true;
    log.info({ runId: run.id, verdict }, 'run judged');
  }

  /** Without Redis nothing is announced; all else goes on. */
  async function announce(runs: readonly OpenRun[]): Promise<void> {
    const due = runs.filter((run) => isSending(run.state) && run.hasDue);
    if (due.length === 0) return;
    const waiting = await lane.countWaiting().catch((error: unknown) => {
      log.warn({ err: error }, 'redis not reached');
      return undefined;
    });
    if (waiting === undefined) return;
    // One after another and not all of one run first: they stand in the lane as they take turns.
    for (let n = 0; n < JOBS_PER_RUN; n += 1)
      for (const run of due) if ((waiting.get(run.id) ?? 0) <= n) await lane.announce(run.id);
  }

  function keepOnce(): Promise<void> {
    round ??= tryWithLock(db, 'campaigns', keep)
      .then(() => undefined)
      .catch((error: unknown) =>
        log.warn({ err: error }, 'runs not looked after; the next round tries again'),
      )
      .finally(() => {
        round = undefined;
        if (wanted) kick();
      });
    return round;
  }

  function kick(): void {
    wanted = round !== undefined;
    if (!wanted && !closed) setImmediate(() => void keepOnce());
  }

  const timer = setInterval(() => void keepOnce(), deps.everyMs);

  return {
    kick,
    run: keepOnce,
    async close() {
      closed = true;
      clearInterval(timer);
      await round;
    },
  };
}

function needsFreezing(run: OpenRun): boolean {
  if (run.state === 'scheduled' || run.state === 'cancelled') return false;
  return !run.isMaterialised || !run.isCounted;
}

/** How what is owed ends where the run will not go on. */
function toEnding(run: OpenRun): Ending | undefined {
  if (run.state === 'cancelled') return { state: 'skipped', reason: 'cancelled' };
  if (run.isExpired && run.isMaterialised && !isSending(run.state))
    return { state: 'expired', reason: 'expired' };
  return undefined;
}
