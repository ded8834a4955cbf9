import { setTimeout as sleep } from 'node:timers/promises';

import {
  claimRetentionRound,
  continueErasure,
  listOpenErasures,
  tryWithLock,
  type Db,
  type StaleRules,
} from '@heliograph/db';
import type { Logger } from 'pino';

import {
  RETENTION_DAYS,
  toRetentionKinds,
  type RetentionDays,
  type RetentionKind,
} from './kinds.ts';
import { deactivateStaleDevices } from './stale.ts';

/*
 * Forgets what is too old, goes on with erasures of users, and looks for stale devices. A timer in every dispatcher, under a lock of its own
 * in the database, so that it keeps no sweep waiting. Everything is done in small parts with a rest between them, for whoever sends.
 */
export const RETENTION_EVERY_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
const ROWS_AT_ONCE = 5000;
/** Of one kind in one round; the next one goes on. */
const BATCHES_PER_ROUND = 40;
const REST_MS = 50;
/** So long a round works on one erasure before others have their turn. */
const ERASE_MS = 30_000;

export interface RetentionSettings {
  readonly days: RetentionDays;
  readonly stale: StaleRules;
}

export const RETENTION_DEFAULTS: RetentionSettings = {
  days: RETENTION_DAYS,
  stale: { days: 0, maxPercent: 10 },
};

export interface Retention {
  /** One round, by itself or by the timer; does nothing while another dispatcher is at it. */
  run(): Promise<void>;
  /** Stops the timer and waits for the part under way. */
  close(): Promise<void>;
}

export function startRetention(deps: {
  readonly db: Db;
  readonly settings: RetentionSettings;
  readonly log: Logger;
  readonly now: () => Date;
  readonly everyMs: number;
}): Retention {
  const { db, settings, log } = deps;
  const kinds = toRetentionKinds(settings.days);
  const stopping = new AbortController();
  const isStopping = () => stopping.signal.aborted;
  let round: Promise<void> | undefined;

  async function runOnce(): Promise<void> {
    await attempt('erasures', continueErasures);
    for (const kind of kinds) await attempt(kind.name, () => purge(kind));
    await attempt('stale devices', () =>
      deactivateStaleDevices({ db, stale: settings.stale, log, isStopping, rest }),
    );
  }

  /** What fails for one kind keeps no other one from its turn. */
  async function attempt(kind: string, work: () => Promise<void>): Promise<void> {
    if (isStopping()) return;
    try {
      await work();
    } catch (error) {
      log.warn({ err: error, kind }, 'retention failed; the next round tries again');
    }
  }

  async function purge({ name, days, purge: purgeOnce }: RetentionKind): Promise<void> {
    if (days === 0) return;
    const before = new Date(deps.now().getTime() - days * DAY_MS);
    let rows = 0;
    const partitions: string[] = [];
    for (let batch = 0; batch < BATCHES_PER_ROUND && !isStopping(); batch += 1) {
      const purged = await purgeOnce(db, before, ROWS_AT_ONCE);
      rows += purged.rows;
      partitions.push(...purged.dropped);
      if (purged.owing.length > 0)
        log.debug({ kind: name, partitions: purged.owing }, 'kept: something is not over yet');
      if (purged.busy.length > 0)
        log.info({ kind: name, partitions: purged.busy }, 'not purged now: somebody is reading');
      // Not tried over and over: those who write wait for each try.
      if (!purged.more || purged.busy.length > 0) break;
      await rest();
    }
    if (rows > 0 || partitions.length > 0) log.info({ kind: name, rows, partitions }, 'purged');
  }

  async function continueErasures(): Promise<void> {
    for (const { id } of await listOpenErasures(db)) {
      const startedAt = performance.now();
      await continueErasure(db, id, () => isStopping() || performance.now() - startedAt > ERASE_MS);
    }
  }

  async function rest(): Promise<void> {
    await sleep(REST_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  function run(): Promise<void> {
    round ??= tryWithLock(db, 'retention', runOnce)
      .then(() => undefined)
      .catch((error: unknown) =>
        log.warn({ err: error }, 'retention failed; the next round tries again'),
      )
      .finally(() => {
        round = undefined;
      });
    return round;
  }

  /** However many dispatchers there are: each try to lock a table is felt by those who send. */
  async function runInTurn(): Promise<void> {
    try {
      // A little less, or one who is alone would miss every other turn by a hair.
      if (await claimRetentionRound(db, deps.everyMs * 0.9)) await run();
    } catch (error) {
      log.warn({ err: error }, 'retention failed; the next round tries again');
    }
  }

  const timer = setInterval(() => void runInTurn(), deps.everyMs);
  return {
    run,
    async close() {
      clearInterval(timer);
      stopping.abort();
      await round;
    },
  };
}
