import { randomUUID } from 'node:crypto';

import type { Worker } from 'bullmq';

import type { RedisClient } from './connection.ts';
import { openHintQueue, openHintWorker, type LaneOptions } from './hint-queue.ts';

const CAMPAIGN_LANE = 'campaigns';

/** A hint that this campaign run has chunks that are due. Who takes it claims the run's next chunk in the database. */
export interface RunJob {
  /** UUID. */
  readonly runId: string;
}

/** Redis holds at most so many jobs that are due now or later; what is beyond them waits in the database. */
export const MAX_WAITING_RUN_JOBS = 2000;

export interface CampaignLane {
  /** Announces that a run has work, in `delayMs` where given. Never rejects; answers whether it was announced. */
  announce(runId: string, delayMs?: number): Promise<boolean>;
  /** How many jobs wait or are delayed per run. Rejects when Redis does not answer. */
  countWaiting(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** A job's id begins with its run's, so that the jobs of a run are counted without reading them. */
const toJobId = (runId: string) => `${runId}-${randomUUID()}`;
const UUID_LENGTH = 36;
const runIdOf = (jobId: string) => jobId.slice(0, UUID_LENGTH);

/** The sending end of the campaigns' lane. */
export function openCampaignLane(
  connection: RedisClient,
  { prefix, onError }: LaneOptions,
): CampaignLane {
  const hints = openHintQueue<RunJob>(CAMPAIGN_LANE, connection, {
    prefix,
    onError,
    hasPlace: ({ waiting, delayed }) => waiting + delayed < MAX_WAITING_RUN_JOBS,
  });

  return {
    announce: (runId, delayMs) =>
      hints.add({ runId }, { id: toJobId(runId), ...(delayMs === undefined ? {} : { delayMs }) }),
    async countWaiting() {
      const counts = new Map<string, number>();
      for (const runId of (await hints.listIds()).map(runIdOf))
        counts.set(runId, (counts.get(runId) ?? 0) + 1);
      return counts;
    },
    close: () => hints.close(),
  };
}

/** The receiving end: calls `process` for up to `concurrency` jobs at a time, also of the same run. */
export function openCampaignWorker(
  connection: RedisClient,
  process: (runId: string) => Promise<void>,
  options: LaneOptions & { readonly concurrency: number },
): Worker<RunJob> {
  return openHintWorker<RunJob>(CAMPAIGN_LANE, connection, ({ runId }) => process(runId), options);
}
