import { randomUUID } from 'node:crypto';

import { eventually, openTestRedis, startOwnRedis } from '@heliograph/testing';
import type { Redis } from 'ioredis';

import { MAX_WAITING_RUN_JOBS, openCampaignLane, openCampaignWorker } from './campaign-lane.ts';
import { openRedis } from './connection.ts';
import { MAX_WAITING_JOBS, openLane, openLaneWorker } from './lane.ts';

const open: Redis[] = [];
afterEach(() => open.splice(0).forEach((redis) => redis.disconnect()));

function ignore(): void {}

async function connect(url: string, kind: 'command' | 'blocking'): Promise<Redis> {
  const redis = openRedis(url, kind, ignore);
  open.push(redis);
  await new Promise((resolve) => redis.once('ready', resolve));
  return redis;
}

const keysOfJobs = (redis: Redis, prefix: string) => redis.keys(`${prefix}:campaigns:*-*-*-*-*`);

describe('the campaigns lane', () => {
  test('hands every announced run to a worker, as often as it was announced, and leaves no trace', async () => {
    const { url, prefix } = await openTestRedis();
    const redis = await connect(url, 'command');
    const lane = openCampaignLane(redis, { prefix, onError: ignore });
    const [a, b] = [randomUUID(), randomUUID()];
    const taken: string[] = [];

    for (const runId of [a, b, a, a]) expect(await lane.announce(runId)).toBe(true);
    expect(await keysOfJobs(redis, prefix)).toHaveLength(4);
    const worker = openCampaignWorker(
      await connect(url, 'blocking'),
      (runId) => Promise.resolve(void taken.push(runId)),
      { prefix, onError: ignore, concurrency: 2 },
    );

    await eventually(() => expect(taken.toSorted()).toEqual([a, a, a, b].toSorted()));
    await eventually(async () => expect(await keysOfJobs(redis, prefix)).toEqual([]));
    await worker.close();
    await lane.close();
  });

  test('keeps no trace of a job that failed either', async () => {
    const { url, prefix } = await openTestRedis();
    const redis = await connect(url, 'command');
    const lane = openCampaignLane(redis, { prefix, onError: ignore });
    let failures = 0;
    const worker = openCampaignWorker(
      await connect(url, 'blocking'),
      () => {
        failures += 1;
        return Promise.reject(new Error('database away'));
      },
      { prefix, onError: ignore, concurrency: 1 },
    );

    await lane.announce(randomUUID());
    await lane.announce(randomUUID());

    await eventually(() => expect(failures).toBe(2));
    await eventually(async () => expect(await keysOfJobs(redis, prefix)).toEqual([]));
    await worker.close();
    await lane.close();
  });

  test('keeps a job back for as long as it was told to', async () => {
    const { url, prefix } = await openTestRedis();
    const lane = openCampaignLane(await connect(url, 'command'), { prefix, onError: ignore });
    const takenAt: number[] = [];
    const worker = openCampaignWorker(
      await connect(url, 'blocking'),
      () => Promise.resolve(void takenAt.push(performance.now())),
      { prefix, onError: ignore, concurrency: 1 },
    );
    const announcedAt = performance.now();

    expect(await lane.announce(randomUUID(), 399.6)).toBe(true);

    await eventually(() => expect(takenAt).toHaveLength(1));
    // BullMQ's clock counts whole milliseconds.
    expect((takenAt[0] ?? 0) - announcedAt).toBeGreaterThanOrEqual(398);
    await worker.close();
    await lane.close();
  });

  test('counts the jobs of each run that wait or are delayed, by their ids alone, and not those being worked on', async () => {
    const { url, prefix } = await openTestRedis();
    const redis = await connect(url, 'command');
    const lane = openCampaignLane(redis, { prefix, onError: ignore });
    const [a, b, busy] = [randomUUID(), randomUUID(), randomUUID()];
    expect(await lane.countWaiting()).toEqual(new Map());

    let finish = ignore;
    const taken: string[] = [];
    const worker = openCampaignWorker(
      await connect(url, 'blocking'),
      (runId) => {
        taken.push(runId);
        return new Promise((resolve) => (finish = resolve));
      },
      { prefix, onError: ignore, concurrency: 1 },
    );
    await lane.announce(busy);
    await eventually(() => expect(taken).toEqual([busy]));
    await lane.announce(a);
    await lane.announce(a, 30_000);
    await lane.announce(b, 30_000);
    const payloads = await keysOfJobs(redis, prefix);
    await redis.del(payloads.filter((key) => key.includes(a) || key.includes(b)));

    expect(await lane.countWaiting()).toEqual(
      new Map([
        [a, 2],
        [b, 1],
      ]),
    );
    const closed = worker.close();
    finish();
    await closed;
    await lane.close();
  });

  test('takes a bounded number of jobs, those due now and those due later together', async () => {
    const { url, prefix } = await openTestRedis();
    const lane = openCampaignLane(await connect(url, 'command'), { prefix, onError: ignore });
    const runId = randomUUID();

    const announced: boolean[] = [];
    for (let n = 0; n < MAX_WAITING_RUN_JOBS + 50; n += 1)
      announced.push(await lane.announce(runId, n % 2 === 0 ? undefined : 60_000));

    expect(announced.filter(Boolean)).toHaveLength(MAX_WAITING_RUN_JOBS);
    expect(announced.lastIndexOf(true)).toBe(MAX_WAITING_RUN_JOBS - 1);
    expect(await lane.countWaiting()).toEqual(new Map([[runId, MAX_WAITING_RUN_JOBS]]));
    await lane.close();
  });

  test('is apart from the message lane, also under the same prefix', async () => {
    const { url, prefix } = await openTestRedis();
    const redis = await connect(url, 'command');
    const campaigns = openCampaignLane(redis, { prefix, onError: ignore });
    const messages = openLane(redis, { prefix, onError: ignore });
    const runId = randomUUID();
    const seen: string[] = [];

    await campaigns.announce(runId);
    expect(await messages.room()).toBe(MAX_WAITING_JOBS);
    const worker = openLaneWorker(
      await connect(url, 'blocking'),
      (job) => Promise.resolve(void seen.push(...job.deliveryIds)),
      { prefix, onError: ignore, concurrency: 1 },
    );
    await messages.announce(['d']);

    await eventually(() => expect(seen).toEqual(['d']));
    expect(await campaigns.countWaiting()).toEqual(new Map([[runId, 1]]));
    await worker.close();
    await campaigns.close();
    await messages.close();
  });

  test('says that a run was not announced, and goes on once Redis is back', async () => {
    const server = await startOwnRedis();
    const errors: Error[] = [];
    const redis = await connect(server.url, 'command');
    const lane = openCampaignLane(redis, {
      prefix: 'x',
      onError: (error) => errors.push(error),
    });
    expect(await lane.announce(randomUUID())).toBe(true);

    await server.kill();
    expect(await lane.announce(randomUUID())).toBe(false);
    expect(errors).not.toEqual([]);
    await expect(lane.countWaiting()).rejects.toThrow();
    await server.start();

    await eventually(async () => expect(await lane.announce(randomUUID())).toBe(true));
    await lane.close();
    redis.disconnect();
    await server.stop();
  });
});
