import { Queue, Worker } from 'bullmq';

import type { RedisClient } from './connection.ts';

export interface LaneOptions {
  readonly prefix: string;
  readonly onError: (error: Error) => void;
}

/** How many jobs are due now and how many later, as last measured, with those added since. */
export interface Depth {
  readonly waiting: number;
  readonly delayed: number;
}

/** A queue of jobs that are only hints: one that is lost, late or doubled does no harm. */
export interface HintQueue<Job extends object> {
  /** Adds a job, due in `delayMs` where given. Never rejects; answers whether it was added, which it is not where there is no place. */
  add(job: Job, options?: { readonly id?: string; readonly delayMs?: number }): Promise<boolean>;
  /** Rejects when Redis does not answer. */
  depth(): Promise<Depth>;
  /** The ids of all jobs that are due now or later. Rejects when Redis does not answer. */
  listIds(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** How long a measured depth is believed; much shorter where it says that there is no room, since workers make some all the time. */
const DEPTH_MAX_AGE_MS = 1000;
const FULL_MAX_AGE_MS = 50;

/** The sending end of a lane. `hasPlace` says whether one more job of that kind may be added to what is there. */
export function openHintQueue<Job extends object>(
  name: string,
  connection: RedisClient,
  {
    prefix,
    onError,
    hasPlace,
  }: LaneOptions & { readonly hasPlace: (depth: Depth, kind: keyof Depth) => boolean },
): HintQueue<Job> {
  const queue = new Queue<object>(name, {
    connection,
    prefix,
    // Nobody listens to BullMQ's events, and by default it keeps ten thousand of them.
    streams: { events: { maxLen: 0 } },
  });
  queue.on('error', onError);
  const depth = { waiting: 0, delayed: 0 };
  let measuredAt = Number.NEGATIVE_INFINITY;

  async function measure(maxAgeMs: number): Promise<Depth> {
    const now = performance.now();
    if (now - measuredAt <= maxAgeMs) return depth;
    measuredAt = now;
    const counts = await queue.getJobCounts('wait', 'prioritized', 'delayed');
    depth.waiting = (counts['wait'] ?? 0) + (counts['prioritized'] ?? 0);
    depth.delayed = counts['delayed'] ?? 0;
    return depth;
  }

  /** Takes the place of one more job, if there is any. */
  async function takePlace(kind: keyof Depth): Promise<boolean> {
    await measure(DEPTH_MAX_AGE_MS);
    if (!hasPlace(depth, kind)) await measure(FULL_MAX_AGE_MS);
    if (!hasPlace(depth, kind)) return false;
    depth[kind] += 1;
    return true;
  }

  return {
    async add(job, { id, delayMs } = {}) {
      try {
        if (!(await takePlace(delayMs === undefined ? 'waiting' : 'delayed'))) return false;
        // Jobs leave no trace: a kept job would grow Redis, and its id would swallow a new one.
        await queue.add('due', job, {
          removeOnComplete: true,
          removeOnFail: true,
          ...(id === undefined ? {} : { jobId: id }),
          ...(delayMs === undefined ? {} : { delay: Math.round(delayMs) }),
        });
        return true;
      } catch (error) {
        onError(toError(error));
        return false;
      }
    },
    depth: () => measure(DEPTH_MAX_AGE_MS),
    listIds: () => queue.getRanges(['wait', 'prioritized', 'delayed'], 0, -1),
    close: () => queue.close(),
  };
}

/**
 * The receiving end: calls `process` for up to `concurrency` jobs at a time. BullMQ's locks and stalled checks decide nothing
 * here, since who may send is decided by leases in the database.
 */
export function openHintWorker<Job extends object>(
  name: string,
  connection: RedisClient,
  process: (job: Job) => Promise<void>,
  { prefix, onError, concurrency }: LaneOptions & { readonly concurrency: number },
): Worker<Job> {
  const worker = new Worker<Job>(name, (job) => process(job.data), {
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

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
