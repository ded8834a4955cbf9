import {
  createPartitions,
  deleteOldAnswerCounts,
  deleteOldIdempotencyKeys,
  deleteOldNonces,
  deleteOldRefusals,
  deleteOldPushes,
  deleteOldTokenReleases,
  dropOldCallbackEvents,
  listOverdue,
  startProbes,
  tryWithLock,
  wakeCredentialed,
  wakeLifted,
  type Db,
} from '@heliograph/db';
import { MAX_DELIVERIES_PER_JOB, MAX_WAITING_JOBS, type Lane } from '@heliograph/queue';
import type { Logger } from 'pino';

import { applyRipeTokenFaults } from '../guard/apply-faults.ts';
import type { Pauses } from '../guard/pauses.ts';
import type { SweptThing } from '../metrics/dispatcher-metrics.ts';
import { warnOfCertificates } from './warn-of-certificates.ts';

/*
 * Finds what is owed and has no live lease, and announces it again: after a crash, a flushed Redis, a retry whose time has come, a
 * pause that was lifted. A timer in every dispatcher, under a lock in the database, so it depends on nothing that can be lost.
 */
export const SWEEP_EVERY_MS = 5_000;
const HOUSEKEEPING_EVERY_MS = 10 * 60_000;
const CERTIFICATES_EVERY_MS = 60 * 60_000;
/** What was just accepted is left to the job that announced it. */
const GRACE_MS = 5_000;
const MAX_OVERDUE_PER_SWEEP = 20_000;
const MAX_WOKEN_PER_SWEEP = 20_000;
/** While so many jobs wait, what is overdue is likely among them: then the oldest only is announced, so that nothing is left out for ever. */
const BUSY_JOBS = 100;

export interface Sweep {
  /** One round, by itself or by the timer; does nothing while another dispatcher is at it. */
  run(): Promise<void>;
  /** Stops the timer and waits for the round under way. */
  close(): Promise<void>;
}

/** Of what each request adds to: by short statements, and more than comes between two times. */
const ROWS_PER_BATCH = 50_000;
const MAX_BATCHES = 20;

async function deleteInBatches(deleteOld: (limit: number) => Promise<number>): Promise<void> {
  for (let batch = 0; batch < MAX_BATCHES; batch += 1)
    if ((await deleteOld(ROWS_PER_BATCH)) < ROWS_PER_BATCH) return;
}

export function startSweep(deps: {
  db: Db;
  lane: Lane;
  pauses: Pauses;
  log: Logger;
  now: () => Date;
  everyMs: number;
  /** So many were found. */
  onFound?: (what: SweptThing, count: number) => void;
}): Sweep {
  const { onFound = () => undefined } = deps;
  let round: Promise<void> | undefined;
  let housekeptAt = Number.NEGATIVE_INFINITY;
  let certificatesAt = Number.NEGATIVE_INFINITY;

  async function sweepOnce(): Promise<void> {
    onFound('lifted', await wakeLifted(deps.db, MAX_WOKEN_PER_SWEEP));
    onFound('credentialed', await wakeCredentialed(deps.db, MAX_WOKEN_PER_SWEEP));
    onFound('probe', (await startProbes(deps.db)).length);
    await announceOverdue();
    await applyRipeTokenFaults(deps);
    if (performance.now() - housekeptAt >= HOUSEKEEPING_EVERY_MS) {
      housekeptAt = performance.now();
      await keepHouse();
    }
    if (performance.now() - certificatesAt >= CERTIFICATES_EVERY_MS) {
      certificatesAt = performance.now();
      await warnOfCertificates(deps);
    }
  }

  async function announceOverdue(): Promise<void> {
    const room = await deps.lane.room();
    if (room === 0) return;
    const busy = MAX_WAITING_JOBS - room > BUSY_JOBS;
    const most = busy ? MAX_DELIVERIES_PER_JOB : MAX_OVERDUE_PER_SWEEP;
    const limit = Math.min(most, room * MAX_DELIVERIES_PER_JOB);
    const overdue = await listOverdue(deps.db, limit, GRACE_MS);
    if (overdue.length === 0) return;
    await deps.lane.announce(overdue.map(({ id }) => id));
    for (const { why } of overdue) onFound(why, 1);
    deps.log.info({ deliveries: overdue.length }, 'sweep announced what was owed');
  }

  async function keepHouse(): Promise<void> {
    const blocked = await createPartitions(deps.db, deps.now());
    if (blocked > 0)
      deps.log.error(
        { blocked },
        'partitions were made too late: rows of their days are in the default one',
      );
    for (const deleteOld of [deleteOldIdempotencyKeys, deleteOldNonces, deleteOldPushes])
      await deleteInBatches((limit) => deleteOld(deps.db, limit));
    await deleteOldAnswerCounts(deps.db);
    await deleteOldRefusals(deps.db);
    await deleteOldTokenReleases(deps.db);
    await dropOldCallbackEvents(deps.db, deps.now(), 50_000);
  }

  function run(): Promise<void> {
    round ??= tryWithLock(deps.db, 'sweep', sweepOnce)
      .then(() => undefined)
      .catch((error: unknown) =>
        deps.log.warn({ err: error }, 'sweep failed; the next one tries again'),
      )
      .finally(() => {
        round = undefined;
      });
    return round;
  }

  const timer = setInterval(() => void run(), deps.everyMs);
  return {
    run,
    async close() {
      clearInterval(timer);
      await round;
    },
  };
}
