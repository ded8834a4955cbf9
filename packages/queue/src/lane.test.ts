import { eventually, openTestRedis, startOwnRedis } from '@heliograph/testing';
import type { Redis } from 'ioredis';

import { openRedis } from './connection.ts';
import {
  MAX_DELAYED_JOBS,
  MAX_DELIVERIES_PER_JOB,
  MAX_WAITING_JOBS,
  openLane,
  openLaneWorker,
} from './lane.ts';
import { publishOutcomes, subscribeOutcomes } from './outcome-hints.ts';

const open: Redis[] = [];
afterEach(() => open.splice(0).forEach((redis) => redis.disconnect()));

function ignore(): void {}

async function connect(url: string, kind: 'command' | 'blocking'): Promise<Redis> {
  const redis = openRedis(url, kind, ignore);
  open.push(redis);
  await new Promise((resolve) => redis.once('ready', resolve));
  return redis;
}

const toIds = (count: number) => Array.from({ length: count }, (_, n) => `id-${n}`);

describe('the message lane', () => {
  test('hands every announced delivery to a worker, a thousand to a job at most, and leaves no trace', async () => {
    const { url, prefix } = await openTestRedis();
    const redis = await connect(url, 'command');
    const lane = openLane(redis, { prefix, onError: ignore });
    const jobs: (readonly string[])[] = [];

    expect(await lane.announce(toIds(2_500))).toBe(true);
    const worker = openLaneWorker(
      await connect(url, 'blocking'),
      (job) => Promise.resolve(void jobs.push(job.deliveryIds)),
      { prefix, onError: ignore, concurrency: 4 },
    );

    await eventually(() => expect(jobs.flat().toSorted()).toEqual(toIds(2_500).toSorted()));
    expect(Math.max(...jobs.map((ids) => ids.length))).toBe(MAX_DELIVERIES_PER_JOB);
    await eventually(async () => {
      const kept = await redis.keys(`${prefix}:messages:[0-9]*`);
      expect(kept).toEqual([]);
    });
    await worker.close();
    await lane.close();
  });

  test('keeps no trace of a job that failed either: the sweep brings back what is owed', async () => {
    const { url, prefix } = await openTestRedis();
    const redis = await connect(url, 'command');
    const lane = openLane(redis, { prefix, onError: ignore });
    let failures = 0;
    const worker = openLaneWorker(
      await connect(url, 'blocking'),
      () => {
        failures += 1;
        return Promise.reject(new Error('database away'));
      },
      { prefix, onError: ignore, concurrency: 1 },
    );

    await lane.announce(['a']);
    await lane.announce(['b']);

    await eventually(() => expect(failures).toBe(2));
    await eventually(async () => expect(await redis.keys(`${prefix}:messages:[0-9]*`)).toEqual([]));
    await worker.close();
    await lane.close();
  });

  test('has room for what is new, however much waits to be tried again', async () => {
    const { url, prefix } = await openTestRedis();
    const lane = openLane(await connect(url, 'command'), { prefix, onError: ignore });

    const delayed: boolean[] = [];
    for (let n = 0; n < MAX_DELAYED_JOBS + 50; n += 1)
      delayed.push(await lane.announce([`${n}`], 30_000));

    expect(delayed.filter(Boolean)).toHaveLength(MAX_DELAYED_JOBS);
    expect(await lane.room()).toBe(MAX_WAITING_JOBS);
    expect(await lane.announce(['new'])).toBe(true);
    await lane.close();
  });

  test('takes a bounded number of jobs, whatever is announced', async () => {
    const { url, prefix } = await openTestRedis();
    const redis = await connect(url, 'command');
    const lane = openLane(redis, { prefix, onError: ignore });

    const taken: boolean[] = [];
    for (let n = 0; n < MAX_WAITING_JOBS + 50; n += 1) taken.push(await lane.announce([`${n}`]));

    expect(taken.filter(Boolean)).toHaveLength(MAX_WAITING_JOBS);
    expect(await lane.room()).toBe(0);
    await lane.close();
  });

  test('has room again as soon as workers made some, though it was seen full a moment ago', async () => {
    const { url, prefix } = await openTestRedis();
    const redis = await connect(url, 'command');
    const filling = openLane(redis, { prefix, onError: ignore });
    for (let n = 0; n < MAX_WAITING_JOBS; n += 1) await filling.announce([`${n}`]);
    const lane = openLane(redis, { prefix, onError: ignore });
    expect(await lane.announce(['too many'])).toBe(false);
    let done = 0;
    const worker = openLaneWorker(
      await connect(url, 'blocking'),
      () => Promise.resolve(void (done += 1)),
      { prefix, onError: ignore, concurrency: 50 },
    );
    try {
      await eventually(() => expect(done).toBeGreaterThan(100));

      // Sooner than the second for which a measured depth is believed otherwise.
      await eventually(async () => expect(await lane.announce(['new'])).toBe(true), {
        timeoutMs: 500,
      });
    } finally {
      await worker.close();
      await filling.close();
      await lane.close();
    }
  });

  test('says that a hint got lost, and goes on once Redis is back', async () => {
    const server = await startOwnRedis();
    const redis = await connect(server.url, 'command');
    const errors: Error[] = [];
    const lane = openLane(redis, { prefix: 'x', onError: (error) => errors.push(error) });
    expect(await lane.announce(['a'])).toBe(true);

    await server.kill();
    expect(await lane.announce(['b'])).toBe(false);
    expect(errors).not.toEqual([]);
    await server.start();

    await eventually(async () => expect(await lane.announce(['c'])).toBe(true));
    await lane.close();
    redis.disconnect();
    await server.stop();
  });
});

describe('hints about outcomes', () => {
  test('reach every api that listens under the prefix', async () => {
    const { url, prefix } = await openTestRedis();
    const heard: string[][] = [[], []];
    for (const list of heard)
      await subscribeOutcomes(await connect(url, 'blocking'), prefix, (ids) => list.push(...ids));
    const publisher = await connect(url, 'command');

    await publishOutcomes(publisher, prefix, ['m1', 'm2'], ignore);
    await publishOutcomes(publisher, `${prefix}-other`, ['m3'], ignore);

    await eventually(() =>
      expect(heard).toEqual([
        ['m1', 'm2'],
        ['m1', 'm2'],
      ]),
    );
  });
});
