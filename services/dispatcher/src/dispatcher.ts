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
  createSharedSecrets,
  openLane,
  openLaneWorker,
  type Pace,
  readRedisTimeMs,
  subscribeChecks,
  type RedisClient,
} from '@heliograph/queue';
import type { Logger } from 'pino';

import { CALLBACK_DEFAULTS, startCallbacks, type CallbackSettings } from './callbacks/callbacks.ts';
import type { Keeper } from './campaigns/keeper.ts';
import { openCampaigns } from './campaigns/open-campaigns.ts';
import { startCredentialChecks } from './checks/credential-checks.ts';
import { startClockWatch } from './guard/clock-watch.ts';
import { createBreaker } from './guard/breaker.ts';
import { createEvidence } from './guard/evidence.ts';
import { createPauses } from './guard/pauses.ts';
import { createPacers } from './pacing/pacers.ts';
import {
  RETENTION_DEFAULTS,
  RETENTION_EVERY_MS,
  startRetention,
  type Retention,
  type RetentionSettings,
} from './retention/retention.ts';
import { createSafeClock } from './safe-clock.ts';
import { createCredentialStore } from './send/credentials.ts';
import { createLeaseBook } from './send/lease-book.ts';
import { createProcessor } from './send/processor.ts';
import { createRecorder, type Recording } from './send/recorder.ts';
import { tellOutcomes } from './send/tell-outcomes.ts';
import { startSweep, SWEEP_EVERY_MS, type Sweep } from './sweep/sweep.ts';

export interface DispatcherDeps {
  readonly db: Db;
  /** For commands; each worker needs one of its own, that may wait. */
  readonly redis: RedisClient;
  readonly workerRedis: RedisClient;
  readonly campaignRedis: RedisClient;
  /** It hears hints, and does nothing else. */
  readonly hintRedis: RedisClient;
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
  /** How long a lease lasts unless renewed: so long a dispatcher that dies delays what it had claimed. */
  readonly leaseMs: number;
  /** Tests only: default 5 s. */
  readonly sweepEveryMs?: number;
  /** Tests only: default half a second. */
  readonly keepEveryMs?: number;
  /** Tests only: default 30 s, and a second. */
  readonly checkLeaseMs?: number;
  readonly checkEveryMs?: number;
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

const now = () => new Date();

/** Starts taking what is due off both lanes. */
export function startDispatcher(deps: DispatcherDeps): Dispatcher {
  const { db, log, redis, prefix } = deps;
  const clockMs = createSafeClock();
  const stopping = new AbortController();
  const onError = (error: unknown) => log.warn({ err: error }, 'database not reached');
  const onRedisError = (error: Error) => log.warn({ err: error }, 'redis not reached');

  const lane = openLane(redis, { prefix, onError: onRedisError });
  const leases = createLeaseBook({
    renew: (held, leaseMs) => renewLeases(db, held, leaseMs),
    clockMs,
    onError,
    leaseMs: deps.leaseMs,
  });
  const audience = createCallbackAudience({ db, onError });
  const tell = (recordings: readonly Recording[]) =>
    tellOutcomes({ redis, prefix, lane, audience, callbacks, onRedisError }, recordings);
  const recorder = createRecorder({ db, leases, audience, onRecorded: tell, onError });
  const pauses = createPauses({ db, log, clockMs });
  const breaker = createBreaker({ db, pauses, log, clockMs, onError });
  const pacers = createPacers({
    buckets: createPaceBuckets(redis, { prefix, onError: onRedisError }),
    clockMs,
    onError: (error) => log.warn({ err: error }, 'redis not reached'),
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
    ...(deps.fcm === undefined ? {} : { fcm: deps.fcm }),
    ...(deps.apnsClient === undefined ? {} : { apnsClient: deps.apnsClient }),
  });
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
    credentials: createCredentialStore({ db, secrets: deps.secrets, log }),
    pool,
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
    everyMs: deps.sweepEveryMs ?? SWEEP_EVERY_MS,
  });

  const retention = startRetention({
    db,
    settings: deps.retention ?? RETENTION_DEFAULTS,
    log,
    now,
    everyMs: RETENTION_EVERY_MS,
  });

  const campaigns = openCampaigns({
    ...shared,
    redis,
    workerRedis: deps.campaignRedis,
    prefix,
    concurrency: deps.campaignConcurrency,
    keepEveryMs: deps.keepEveryMs,
    onRedisError,
  });
  const callbacks = startCallbacks({
    db,
    secrets: deps.secrets,
    settings: deps.callbacks ?? CALLBACK_DEFAULTS,
    log,
    clockMs,
    now,
    random: Math.random,
  });

  const checks = startCredentialChecks({
    db,
    secrets: deps.secrets,
    endpoints: deps.endpoints,
    apnsClient: deps.apnsClient,
    log,
    clockMs,
    leaseMs: deps.checkLeaseMs,
    everyMs: deps.checkEveryMs,
  });
  // Not awaited: with Redis away checks are found a little later.
  subscribeChecks(deps.hintRedis, prefix, checks.kick).catch(onRedisError);

  return {
    sweep,
    retention,
    keeper: campaigns.keeper,
    async close() {
      stopping.abort();
      clockWatch.close();
      const abandon = setTimeout(() => pool.abandon(), WAIT_FOR_ANSWERS_MS);
      // All at once: a worker that goes on while a sweep ends would only take jobs to drop them.
      const told = Promise.all([callbacks.close(), checks.close()]);
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
