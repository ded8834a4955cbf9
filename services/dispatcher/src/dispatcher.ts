import type { SecretBox } from '@heliograph/core';
import { createCallbackAudience, renewLeases, type Db } from '@heliograph/db';
import {
  createProviderPool,
  type ApnsClientName,
  type FcmMapping,
  type ProviderEndpoints,
} from '@heliograph/providers';
import {
  createPaceBuckets,
  createRateLimit,
  createSharedSecrets,
  openCampaignLane,
  openCampaignWorker,
  openLane,
  openLaneWorker,
  publishOutcomes,
  type Pace,
  readRedisTimeMs,
  type RedisClient,
} from '@heliograph/queue';
import { Metrics } from '@heliograph/runtime';
import type { Logger } from 'pino';

import { CALLBACK_DEFAULTS, startCallbacks, type CallbackSettings } from './callbacks/callbacks.ts';
import { createCheckpointer } from './campaigns/checkpointer.ts';
import { createChunkLeases } from './campaigns/chunk-leases.ts';
import { KEEP_EVERY_MS, startKeeper, type Keeper } from './campaigns/keeper.ts';
import { createRunProcessor } from './campaigns/run-processor.ts';
import { createRunWatch } from './campaigns/run-watch.ts';
import { createChunkSender, type ChunkSenderDeps } from './campaigns/send-chunk.ts';
import { settleRun } from './campaigns/settle-run.ts';
import { createFreezer, type Freezer } from './fan-out/freezer.ts';
import { startClockWatch } from './guard/clock-watch.ts';
import { createBreaker } from './guard/breaker.ts';
import { createEvidence } from './guard/evidence.ts';
import { createPauses } from './guard/pauses.ts';
import { createDispatcherMetrics, type DispatcherMetrics } from './metrics/dispatcher-metrics.ts';
import { METER_EVERY_MS, startFleetMeter } from './metrics/fleet-meter.ts';
import { createPacers } from './pacing/pacers.ts';
import {
  RETENTION_DEFAULTS,
  RETENTION_EVERY_MS,
  startRetention,
  type Retention,
  type RetentionSettings,
} from './retention/retention.ts';
import { createCredentialStore } from './send/credentials.ts';
import { createLeaseBook } from './send/lease-book.ts';
import { createProcessor } from './send/processor.ts';
import { createRecorder, type Recording } from './send/recorder.ts';
import { startSweep, SWEEP_EVERY_MS, type Sweep } from './sweep/sweep.ts';

export interface DispatcherDeps {
  readonly db: Db;
  /** For commands; each worker needs one of its own, that may wait. */
  readonly redis: RedisClient;
  readonly workerRedis: RedisClient;
  readonly campaignRedis: RedisClient;
  readonly prefix: string;
  readonly secrets: SecretBox;
  readonly endpoints: ProviderEndpoints;
  /** What sends to APNs; by default our own engine. */
  readonly apnsClient?: ApnsClientName;
  /** How messages look on Android: with a notification, or as data that the app handles itself. */
  readonly fcm?: FcmMapping;
  /** How fast a Firebase project may be sent to. */
  readonly fcmPace?: Pace;
  /** Jobs of the message lane worked on at a time. */
  readonly concurrency: number;
  /** Chunks of campaigns worked on at a time. */
  readonly campaignConcurrency: number;
  readonly callbacks?: CallbackSettings;
  readonly retention?: RetentionSettings;
  readonly log: Logger;
  /** Without it nothing is measured that the fleet has in common. */
  readonly metrics?: Metrics;
  /** How long a lease lasts unless renewed: so long a dispatcher that dies delays what it had claimed. */
  readonly leaseMs: number;
  /** Tests only: default 5 s. */
  readonly sweepEveryMs?: number;
  /** Tests only: default half a second. */
  readonly keepEveryMs?: number;
}

export interface Dispatcher {
  readonly sweep: Sweep;
  readonly retention: Retention;
  readonly keeper: Keeper;
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

/** Starts taking what is due off both lanes. */
export function startDispatcher(deps: DispatcherDeps): Dispatcher {
  const { db, log, redis, prefix } = deps;
  const clockMs = createSafeClock();
  const stopping = new AbortController();
  const onError = (error: unknown) => log.warn({ err: error }, 'database not reached');
  const metrics = createDispatcherMetrics(deps.metrics ?? new Metrics(), { db, onError });
  const onRedisError = (error: unknown) => {
    metrics.redisError();
    log.warn({ err: error }, 'redis not reached');
  };

  const lane = openLane(redis, { prefix, onError: onRedisError });
  const leases = createLeaseBook({
    renew: (held, leaseMs) => renewLeases(db, held, leaseMs),
    clockMs,
    onError,
    leaseMs: deps.leaseMs,
  });
  const audience = createCallbackAudience({ db, onError });
  const recorder = createRecorder({ db, leases, audience, onRecorded: tell, onError });
  const pauses = createPauses({ db, log, clockMs });
  const breaker = createBreaker({ db, pauses, log, clockMs, onError });
  const pacers = createPacers({
    buckets: createPaceBuckets(redis, { prefix, onError: onRedisError }),
    clockMs,
    onError: onRedisError,
    ...(deps.fcmPace === undefined ? {} : { fcmPace: deps.fcmPace }),
  });
  const evidence = createEvidence({ db, pauses, log, onError });
  const pool = createProviderPool({
    endpoints: deps.endpoints,
    idleMs: PROVIDER_IDLE_MS,
    tokens: createSharedSecrets(redis, {
      prefix,
      secrets: deps.secrets,
      onError: (error) => log.warn({ err: error }, 'shared token not used'),
    }),
    log,
    onGoaway: metrics.goaway,
    ...(deps.fcm === undefined ? {} : { fcm: deps.fcm }),
    ...(deps.apnsClient === undefined ? {} : { apnsClient: deps.apnsClient }),
  });
  metrics.watch(pool);
  const clockWatch = startClockWatch({
    readTimeMs: () => readRedisTimeMs(redis),
    nowMs: Date.now,
    log,
  });
  const shared = {
    db,
    breaker,
    evidence,
    pacers,
    pauses,
    credentials: createCredentialStore({ db, secrets: deps.secrets }),
    pool,
    metrics,
    log,
    onError,
    clockMs,
    now,
    random: Math.random,
    stopping: stopping.signal,
    leaseMs: deps.leaseMs,
  };
  const processor = createProcessor({ ...shared, leases, recorder });
  const worker = openLaneWorker(deps.workerRedis, (job) => processor.process(job.deliveryIds), {
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
    onFound: metrics.swept,
    everyMs: deps.sweepEveryMs ?? SWEEP_EVERY_MS,
  });

  const retention = startRetention({
    db,
    settings: deps.retention ?? RETENTION_DEFAULTS,
    log,
    now,
    everyMs: RETENTION_EVERY_MS,
  });

  const campaigns = openCampaigns(deps, shared, onRedisError);
  const callbacks = startCallbacks({
    db,
    secrets: deps.secrets,
    settings: deps.callbacks ?? CALLBACK_DEFAULTS,
    log,
    clockMs,
    now,
    random: Math.random,
    onEvents: metrics.callbackEvents,
  });
  const fleetMeter =
    deps.metrics === undefined
      ? undefined
      : startFleetMeter({ db, metrics: deps.metrics, log, now, everyMs: METER_EVERY_MS });

  /** Callers and callbacks that wait hear of their outcomes; what is due again soon is announced for then. */
  function tell(recordings: readonly Recording[]): void {
    metrics.outcomes.addRecorded(recordings);
    const awaited = new Set<string>();
    const soon = new Map<number, string[]>();
    for (const { update, appRef, awaitedMessageId } of recordings) {
      if (awaitedMessageId !== undefined) awaited.add(awaitedMessageId);
      if (update.state !== 'pending' && audience.listensTo(appRef)) callbacks.kick();
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
    retention,
    keeper: campaigns.keeper,
    async close() {
      stopping.abort();
      clockWatch.close();
      const abandon = setTimeout(() => pool.abandon(), WAIT_FOR_ANSWERS_MS);
      // All at once: a worker that goes on while a sweep ends would only take jobs to drop them.
      const told = callbacks.close();
      await fleetMeter?.close();
      await Promise.all([sweep.close(), retention.close(), worker.close(), campaigns.close()]);
      await processor.drained();
      await pool.close();
      await pacers.close();
      await breaker.close();
      await evidence.close();
      await recorder.close();
      leases.close();
      await lane.close();
      await told;
      clearTimeout(abandon);
    },
  };
}

/** What sends campaigns: the keeper of runs, the freezer of their audiences, and the worker on their lane. */
function openCampaigns(
  deps: DispatcherDeps,
  shared: Omit<ChunkSenderDeps, 'leases' | 'checkpointer' | 'watch' | 'metrics'> & {
    readonly metrics: DispatcherMetrics;
    readonly onError: (error: unknown) => void;
  },
  onRedisError: (error: Error) => void,
) {
  const { db, log, redis, prefix } = deps;
  const lane = openCampaignLane(redis, { prefix, onError: onRedisError });
  const leases = createChunkLeases(shared);
  const watch = createRunWatch(shared);
  const checkpointer = createCheckpointer({
    ...shared,
    leases,
    onRecorded: (point) => shared.metrics.outcomes.addCheckpoint(point),
  });
  const freezer: Freezer = createFreezer({ db, log, onProgress: () => keeper.kick() });
  const keeper: Keeper = startKeeper({
    db,
    lane,
    freezer,
    log,
    settle: (runId, ending) => settleRun({ ...shared, leases, checkpointer }, runId, ending),
    everyMs: deps.keepEveryMs ?? KEEP_EVERY_MS,
  });
  const processor = createRunProcessor({
    ...shared,
    lane,
    leases,
    watch,
    rateLimit: createRateLimit(redis, { prefix, onError: onRedisError }),
    sendChunk: createChunkSender({ ...shared, leases, watch, checkpointer }),
    onIdle: () => keeper.kick(),
  });
  const worker = openCampaignWorker(deps.campaignRedis, (runId) => processor.process(runId), {
    prefix,
    onError: onRedisError,
    concurrency: deps.campaignConcurrency,
  });

  return {
    keeper,
    async close() {
      await Promise.all([keeper.close().then(() => freezer.close()), worker.close()]);
      await processor.drained();
      await checkpointer.close();
      watch.close();
      leases.close();
      await lane.close();
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
