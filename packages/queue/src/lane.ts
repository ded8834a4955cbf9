import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';

/** Lanes are queues with capacity of their own. Campaigns will get another one, so that they never delay a login code. */
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

export interface LaneOptions {
  readonly prefix: string;
  readonly onError: (error: Error) => void;
}

/** How long a measured depth is believed; much shorter where it says that there is no room, since workers make some all the time. */
const DEPTH_MAX_AGE_MS = 1000;
const FULL_MAX_AGE_MS = 50;

/** The sending end of a lane. */
export function openLane(connection: Redis, { prefix, onError }: LaneOptions): Lane {
  const queue = new Queue<DueJob>(MESSAGE_LANE, { connection, prefix });
  queue.on('error', onError);
  const depth = { waiting: 0, delayed: 0 };
  let measuredAt = Number.NEGATIVE_INFINITY;

  async function measure(maxAgeMs: number): Promise<void> {
    const now = performance.now();
    if (now - measuredAt <= maxAgeMs) return;
    measuredAt = now;
    const counts = await queue.getJobCounts('wait', 'prioritized', 'delayed');
    depth.waiting = (counts['wait'] ?? 0) + (counts['prioritized'] ?? 0);
    depth.delayed = counts['delayed'] ?? 0;
  }

  async function room(): Promise<number> {
    await measure(DEPTH_MAX_AGE_MS);
    return Math.max(0, MAX_WAITING_JOBS - depth.waiting);
  }

  /** Takes the place of one more job, if there is any. */
  async function takePlace(kind: keyof typeof depth): Promise<boolean> {
    const most = kind === 'waiting' ? MAX_WAITING_JOBS : MAX_DELAYED_JOBS;
    await measure(DEPTH_MAX_AGE_MS);
    if (depth[kind] >= most) await measure(FULL_MAX_AGE_MS);
    if (depth[kind] >= most) return false;
    depth[kind] += 1;
    return true;
  }

  return {
    async announce(deliveryIds, delayMs) {
      try {
        for (let start = 0; start < deliveryIds.length; start += MAX_DELIVERIES_PER_JOB) {
          if (!(await takePlace(delayMs === undefined ? 'waiting' : 'delayed'))) return false;
          const chunk = deliveryIds.slice(start, start + MAX_DELIVERIES_PER_JOB);
          // Jobs leave no trace: a kept job would grow Redis, and its id would swallow a new one.
          await queue.add(
            'due',
            { deliveryIds: chunk },
            {
              removeOnComplete: true,
              removeOnFail: true,
              ...(delayMs === undefined ? {} : { delay: Math.round(delayMs) }),
            },
          );
        }
        return true;
      } catch (error) {
        onError(error instanceof Error ? error : new Error(String(error)));
        return false;
      }
    },
    room,
    close: () => queue.close(),
  };
}

/**
 * The receiving end: calls `process` for up to `concurrency` jobs at a time. BullMQ's locks and stalled checks decide nothing
 * here, since who may send is decided by leases in the database.
 */
export function openLaneWorker(
  connection: Redis,
  process: (job: DueJob) => Promise<void>,
  { prefix, onError, concurrency }: LaneOptions & { readonly concurrency: number },
): Worker<DueJob> {
  const worker = new Worker<DueJob>(MESSAGE_LANE, (job) => process(job.data), {
    connection,
    prefix,
    concurrency,
    lockDuration: 60_000,
    maxStalledCount: 0,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  worker.on('error', onError);
  return worker;
}
