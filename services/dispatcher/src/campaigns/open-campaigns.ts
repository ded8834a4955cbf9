import {
  createRateLimit,
  openCampaignLane,
  openCampaignWorker,
  type RedisClient,
} from '@heliograph/queue';
import { createFreezer, type Freezer } from '../fan-out/freezer.ts';
import { createCheckpointer } from './checkpointer.ts';
import { createChunkLeases } from './chunk-leases.ts';
import { KEEP_EVERY_MS, startKeeper, type Keeper } from './keeper.ts';
import { createRunProcessor } from './run-processor.ts';
import { createRunWatch } from './run-watch.ts';
import { createChunkSender, type ChunkSenderDeps } from './send-chunk.ts';
import { settleRun } from './settle-run.ts';

export interface CampaignsDeps extends Omit<ChunkSenderDeps, 'leases' | 'checkpointer' | 'watch'> {
  readonly redis: RedisClient;
  readonly workerRedis: RedisClient;
  readonly prefix: string;
  /** Chunks worked on at a time. */
  readonly concurrency: number;
  readonly keepEveryMs: number | undefined;
  readonly onError: (error: unknown) => void;
  readonly onRedisError: (error: Error) => void;
}

export interface Campaigns {
  readonly keeper: Keeper;
  /** Takes no more jobs, waits for the answers owed, and records them. */
  close(): Promise<void>;
}

/** What sends campaigns: the keeper of runs, the freezer of their audiences, and the worker on their lane. */
export function openCampaigns(deps: CampaignsDeps): Campaigns {
  const { db, log, redis, prefix, onRedisError } = deps;
  const lane = openCampaignLane(redis, { prefix, onError: onRedisError });
  const leases = createChunkLeases(deps);
  const watch = createRunWatch(deps);
  const checkpointer = createCheckpointer({ ...deps, leases });
  const freezer: Freezer = createFreezer({ db, log, onProgress: () => keeper.kick() });
  const keeper: Keeper = startKeeper({
    db,
    lane,
    freezer,
    log,
    settle: (runId, ending) => settleRun({ ...deps, leases, checkpointer }, runId, ending),
    everyMs: deps.keepEveryMs ?? KEEP_EVERY_MS,
  });
  const processor = createRunProcessor({
    ...deps,
    lane,
    leases,
    watch,
    rateLimit: createRateLimit(redis, { prefix, onError: onRedisError }),
    sendChunk: createChunkSender({ ...deps, leases, watch, checkpointer }),
    onIdle: () => keeper.kick(),
  });
  const worker = openCampaignWorker(deps.workerRedis, (runId) => processor.process(runId), {
    prefix,
    onError: onRedisError,
    concurrency: deps.concurrency,
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
