import { setMaxListeners } from 'node:events';

import type { SecretBox } from '@heliograph/core';
import type { Db } from '@heliograph/db';
import { createProviderPool, type FcmMapping, type ProviderEndpoints } from '@heliograph/providers';
import { openLane, openLaneWorker, publishOutcomes } from '@heliograph/queue';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';

import { createEvidence } from './guard/evidence.ts';
import { createPauses } from './guard/pauses.ts';
import { createCredentialStore } from './send/credentials.ts';
import { createLeaseBook } from './send/lease-book.ts';
import { createProcessor } from './send/processor.ts';
import { createRecorder, type Recording } from './send/recorder.ts';
import { startSweep, SWEEP_EVERY_MS, type Sweep } from './sweep/sweep.ts';

export interface DispatcherDeps {
  readonly db: Db;
  /** For commands; the worker needs one of its own, that may wait. */
  readonly redis: Redis;
  readonly workerRedis: Redis;
  readonly prefix: string;
  readonly secrets: SecretBox;
  readonly endpoints: ProviderEndpoints;
  /** How messages look on Android: with a notification, or as data that the app handles itself. */
  readonly fcm?: FcmMapping;
  /** Jobs worked on at a time. */
  readonly concurrency: number;
  readonly log: Logger;
  /** How long a lease lasts unless renewed: so long a dispatcher that dies delays what it had claimed. */
  readonly leaseMs: number;
  /** Tests only: default 5 s. */
  readonly sweepEveryMs?: number;
}

export interface Dispatcher {
  readonly sweep: Sweep;
  /** Takes no more jobs, waits for the answers owed, records them, and closes what it opened itself. */
  close(): Promise<void>;
}

/** Provider clients unused for that long are closed. */
const PROVIDER_IDLE_MS = 10 * 60_000;
/** A process that stops waits that long for answers; a provider's own deadline is shorter. */
const WAIT_FOR_ANSWERS_MS = 18_000;
/** What is due again within a minute is announced by a delayed job; later times wait in the database only. */
const ANNOUNCE_WITHIN_MS = 60_000;

const now = () => new Date();

/** Starts taking what is due off the message lane. */
export function startDispatcher(deps: DispatcherDeps): Dispatcher {
  const { db, log, redis, prefix } = deps;
  const clockMs = createSafeClock();
  const stopping = new AbortController();
  const abandoning = new AbortController();
  // Every send under way listens.
  setMaxListeners(0, abandoning.signal);
  const onError = (error: unknown) => log.warn({ err: error }, 'database not reached');
  const onRedisError = (error: Error) => log.warn({ err: error }, 'redis not reached');

  const lane = openLane(redis, { prefix, onError: onRedisError });
  const leases = createLeaseBook({ db, clockMs, onError, leaseMs: deps.leaseMs });
  const recorder = createRecorder({ db, leases, onRecorded: tell, onError });
  const pauses = createPauses({ db, log, clockMs });
  const evidence = createEvidence({ db, pauses, log, onError });
  const pool = createProviderPool({
    endpoints: deps.endpoints,
    idleMs: PROVIDER_IDLE_MS,
    log,
    ...(deps.fcm === undefined ? {} : { fcm: deps.fcm }),
  });
  const processDue = createProcessor({
    db,
    leases,
    recorder,
    evidence,
    pauses,
    credentials: createCredentialStore({ db, secrets: deps.secrets }),
    pool,
    log,
    clockMs,
    now,
    random: Math.random,
    stopping: stopping.signal,
    abandoning: abandoning.signal,
    leaseMs: deps.leaseMs,
  });
  const worker = openLaneWorker(deps.workerRedis, (job) => processDue(job.deliveryIds), {
    prefix,
    onError: onRedisError,
    concurrency: deps.concurrency,
  });
  const sweep = startSweep({
    db,
    lane,
    pauses,
    log,
    now,
    everyMs: deps.sweepEveryMs ?? SWEEP_EVERY_MS,
  });

  /** Callers that wait hear of their outcomes; what is due again soon is announced for then. */
  function tell(recordings: readonly Recording[]): void {
    const awaited = new Set<string>();
    const soon = new Map<number, string[]>();
    for (const { update, awaitedMessageId } of recordings) {
      if (awaitedMessageId !== undefined) awaited.add(awaitedMessageId);
      if (update.nextAttemptAt === null || update.pauseId !== null) continue;
      const delayMs = update.nextAttemptAt.getTime() - Date.now();
      if (delayMs > ANNOUNCE_WITHIN_MS) continue;
      // Whole seconds, rounded up: deliveries that failed together share a job.
      const seconds = Math.max(1, Math.ceil(delayMs / 1000));
      const ids = soon.get(seconds) ?? [];
      ids.push(update.id);
      soon.set(seconds, ids);
    }
    void publishOutcomes(redis, prefix, [...awaited], onRedisError);
    for (const [seconds, ids] of soon) void lane.announce(ids, seconds * 1000);
  }

  return {
    sweep,
    async close() {
      stopping.abort();
      const abandon = setTimeout(() => abandoning.abort(), WAIT_FOR_ANSWERS_MS);
      await sweep.close();
      await worker.close();
      await pool.close();
      await evidence.close();
      await recorder.close();
      leases.close();
      await lane.close();
      clearTimeout(abandon);
    },
  };
}

/** Milliseconds that never fall behind: the monotonic clock stands still while a machine sleeps, the wall clock may be set back. */
function createSafeClock(): () => number {
  const wallStart = Date.now();
  const monotonicStart = performance.now();
  let latest = 0;
  return () => {
    latest = Math.max(latest, Date.now() - wallStart, performance.now() - monotonicStart);
    return latest;
  };
}
