import type { Worker } from 'bullmq';

import type { RedisClient } from './connection.ts';
import { openHintQueue, openHintWorker, type LaneOptions } from './hint-queue.ts';

export type { LaneOptions } from './hint-queue.ts';

/** Lanes are queues with capacity of their own. Campaigns have another one, so that they never delay a login code. */
const MESSAGE_LANE = 'messages';

/** A hint that these deliveries are due. What is owed is read from the database: a job that comes twice, or late, does no harm. */
export interface DueJob {
  readonly deliveryIds: readonly string[];
}

/** One job carries at most so many deliveries. */
export const MAX_DELIVERIES_PER_JOB = 1000;

/** Redis holds at most so many waiting jobs per lane; what is beyond them waits in the database for the sweep. */
export const MAX_WAITING_JOBS = 2000;
/** Apart from those: jobs for what is to be tried again within a minute take no room from what is due now. */
export const MAX_DELAYED_JOBS = 1000;

export interface Lane {
  /**
   * Announces deliveries as due, in `delayMs` where given (at most a minute: what is due later waits in the database). Never rejects:
   * a hint that got lost is made up by the sweep. Answers whether the deliveries were announced.
   */
  announce(deliveryIds: readonly string[], delayMs?: number): Promise<boolean>;
  /** How many more jobs may be added that are due now. Rejects when Redis does not answer. */
  room(): Promise<number>;
  close(): Promise<void>;
}

/** The sending end of a lane. */
export function openLane(connection: RedisClient, { prefix, onError }: LaneOptions): Lane {
  const hints = openHintQueue<DueJob>(MESSAGE_LANE, connection, {
    prefix,
    onError,
    hasPlace: (depth, kind) =>
      kind === 'waiting' ? depth.waiting < MAX_WAITING_JOBS : depth.delayed < MAX_DELAYED_JOBS,
  });

  return {
    async announce(deliveryIds, delayMs) {
      for (let start = 0; start < deliveryIds.length; start += MAX_DELIVERIES_PER_JOB) {
        const chunk = deliveryIds.slice(start, start + MAX_DELIVERIES_PER_JOB);
        const options = delayMs === undefined ? {} : { delayMs };
        if (!(await hints.add({ deliveryIds: chunk }, options))) return false;
      }
      return true;
    },
    async room() {
      return Math.max(0, MAX_WAITING_JOBS - (await hints.depth()).waiting);
    },
    close: () => hints.close(),
  };
}

/** The receiving end: calls `process` for up to `concurrency` jobs at a time. */
export function openLaneWorker(
  connection: RedisClient,
  process: (job: DueJob) => Promise<void>,
  options: LaneOptions & { readonly concurrency: number },
): Worker<DueJob> {
  return openHintWorker(MESSAGE_LANE, connection, process, options);
}
