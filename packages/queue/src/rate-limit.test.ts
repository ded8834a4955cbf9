import { setTimeout as sleep } from 'node:timers/promises';

import { eventually, openTestRedis, startOwnRedis } from '@heliograph/testing';
import type { Redis } from 'ioredis';

import { openRedis } from './connection.ts';
import { createRateLimit } from './rate-limit.ts';

const open: Redis[] = [];
afterEach(() => open.splice(0).forEach((redis) => redis.disconnect()));

function ignore(): void {}

async function connect(url: string): Promise<Redis> {
  const redis = openRedis(url, 'command', ignore);
  open.push(redis);
  await new Promise((resolve) => redis.once('ready', resolve));
  return redis;
}

async function setUp() {
  const { url, prefix } = await openTestRedis();
  const redis = await connect(url);
  const limit = createRateLimit(redis, { prefix, onError: ignore });
  return { url, prefix, redis, limit, key: `${prefix}:rate:fcm` };
}

/** Seconds since it was called. */
function startWatch(): () => number {
  const startedAt = performance.now();
  return () => (performance.now() - startedAt) / 1000;
}

describe('the rate limit', () => {
  test.each([400, 3_000])(
    'grants no more than %d a second, and hardly less, to all takers together',
    async (rate) => {
      const { url, prefix } = await setUp();
      const takers = await Promise.all(
        [1, 2, 3, 4, 5].map(async () =>
          createRateLimit(await connect(url), { prefix, onError: ignore }),
        ),
      );
      const shares = takers.map(() => 0);
      const seconds = startWatch();

      await Promise.all(
        takers.map(async (taker, n) => {
          while (seconds() < 2) {
            const { granted, waitMs } = await taker.take('fcm', rate, 20);
            shares[n] = (shares[n] ?? 0) + granted;
            await sleep(waitMs);
          }
        }),
      );

      const granted = shares.reduce((sum, share) => sum + share, 0);
      // Redis counts by a clock that may be slewed against ours: 1 in 1000.
      expect(granted).toBeLessThanOrEqual(1 + rate * seconds() * 1.001);
      // Less only if all takers slept for longer than the quarter second that the bucket holds.
      expect(granted).toBeGreaterThan(0.8 * rate * 2);
      expect(Math.min(...shares)).toBeGreaterThan(0);
    },
  );

  test('begins with one permit, and holds a quarter second of them however long nobody takes any', async () => {
    const { limit } = await setUp();
    expect(await limit.take('fcm', 400, 10)).toEqual({ granted: 1, waitMs: 3 });
    await sleep(600);

    const { granted, waitMs } = await limit.take('fcm', 400, 1_000);

    expect(granted).toBe(100);
    expect(waitMs).toBe(3);
  });

  test('has no wait for who got all, and takes nothing for who wants nothing', async () => {
    const { limit } = await setUp();
    expect(await limit.take('fcm', 400, 0)).toEqual({ granted: 0, waitMs: 0 });
    expect(await limit.take('fcm', 400, 1)).toEqual({ granted: 1, waitMs: 0 });
  });

  test('has a bucket for each name', async () => {
    const { limit } = await setUp();
    expect((await limit.take('a', 1, 1)).granted).toBe(1);
    expect((await limit.take('b', 1, 1)).granted).toBe(1);
    expect((await limit.take('a', 1, 1)).granted).toBe(0);
  });

  test('keeps fractions: at one a second, looks in between lose nothing', async () => {
    const { limit } = await setUp();
    const seconds = startWatch();
    let granted = 0;
    while (seconds() < 3.5) {
      granted += (await limit.take('fcm', 1, 5)).granted;
      await sleep(20);
    }

    // One to begin with, and those after one, two and three seconds, unless a look came half a second late.
    expect(granted).toBe(4);
  });

  test('says when the next permit is there, and not sooner', async () => {
    const { limit } = await setUp();
    const seconds = startWatch();
    await limit.take('fcm', 2, 1);
    const first = await limit.take('fcm', 2, 1);
    expect(first.granted).toBe(0);
    expect(first.waitMs).toBeLessThanOrEqual(500);
    expect(first.waitMs).toBeGreaterThanOrEqual(500 - seconds() * 1000);

    await sleep(first.waitMs - 100);
    const early = await limit.take('fcm', 2, 1);
    if (seconds() < 0.5) expect(early.granted).toBe(0);
    await sleep(110);
    const late = await limit.take('fcm', 2, 1);
    expect(early.granted + late.granted).toBe(1);
  });

  test('makes nothing of the past when the rate is raised', async () => {
    const { limit } = await setUp();
    await limit.take('fcm', 1, 1);
    await sleep(300);

    const seconds = startWatch();
    expect((await limit.take('fcm', 1_000, 1_000)).granted).toBeLessThanOrEqual(1);
    await sleep(100);

    const { granted } = await limit.take('fcm', 1_000, 1_000);
    expect(granted).toBeGreaterThanOrEqual(99);
    expect(granted).toBeLessThanOrEqual(1 + seconds() * 1_000);
  });

  test('keeps no more than the lower rate has when the rate is lowered', async () => {
    const { limit } = await setUp();
    await limit.take('fcm', 1_000, 1);
    await sleep(400);
    // Leaves 240 of its 250.
    expect((await limit.take('fcm', 1_000, 10)).granted).toBe(10);

    const { granted, waitMs } = await limit.take('fcm', 8, 1_000);

    expect(granted).toBe(2);
    expect(waitMs).toBeGreaterThan(100);
    expect(waitMs).toBeLessThanOrEqual(125);
  });

  test('takes back what was not used, and no more than the bucket holds', async () => {
    const { limit } = await setUp();
    await limit.take('fcm', 4, 1);
    expect((await limit.take('fcm', 4, 1)).granted).toBe(0);
    await limit.giveBack('fcm', 4, 1);
    expect((await limit.take('fcm', 4, 1)).granted).toBe(1);

    await limit.giveBack('fcm', 400, 1_000_000);
    expect((await limit.take('fcm', 400, 1_000_000)).granted).toBe(100);
  });

  test('forgets an idle bucket, but not before it would hold a permit', async () => {
    const { limit, redis, key } = await setUp();
    await limit.take('fcm', 1_000, 1);
    expect(await redis.pttl(key)).toBeGreaterThan(4_000);
    expect(await redis.pttl(key)).toBeLessThanOrEqual(5_000);

    await limit.giveBack('fcm', 1_000, 1);
    await redis.pexpire(key, 1);
    await eventually(async () => expect(await redis.exists(key)).toBe(0));
    expect((await limit.take('fcm', 1_000, 1_000)).granted).toBe(1);

    await limit.take('fcm', 0.01, 1);
    expect(await redis.pttl(key)).toBeGreaterThan(99_000);
    expect(await redis.pttl(key)).toBeLessThanOrEqual(100_000);
  });

  test('makes no time of a clock that was set back, and is not stuck until it caught up', async () => {
    const { limit, redis, key } = await setUp();
    await limit.take('fcm', 1_000, 1);
    await redis.hset(key, { permits: 0, at: (Date.now() + 3_600_000) * 1000 });

    const seconds = startWatch();
    expect((await limit.take('fcm', 1_000, 1_000)).granted).toBe(0);
    await sleep(100);

    const { granted } = await limit.take('fcm', 1_000, 1_000);
    expect(granted).toBeGreaterThanOrEqual(99);
    expect(granted).toBeLessThanOrEqual(1 + seconds() * 1_000);
  });

  test.each([
    [0, 1],
    [-1, 1],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
    [1, -1],
    [1, 0.5],
    [1, Number.NaN],
  ])('refuses a rate of %d with %d wanted', async (perSecond, wanted) => {
    const { limit, redis, key } = await setUp();
    await expect(limit.take('fcm', perSecond, wanted)).rejects.toThrow(RangeError);
    expect(await redis.exists(key)).toBe(0);
  });

  test('grants nothing while Redis is away, and goes on once it is back', async () => {
    const server = await startOwnRedis();
    const errors: Error[] = [];
    const redis = await connect(server.url);
    const limit = createRateLimit(redis, {
      prefix: 'x',
      onError: (error) => errors.push(error),
    });
    expect((await limit.take('fcm', 100, 1)).granted).toBe(1);

    await server.kill();
    await expect(limit.take('fcm', 100, 1)).rejects.toThrow();
    expect(errors).toEqual([]);
    await limit.giveBack('fcm', 100, 1);
    expect(errors).toHaveLength(1);
    await server.start();

    await eventually(async () => expect((await limit.take('fcm', 100, 1)).granted).toBe(1));
    redis.disconnect();
    await server.stop();
  });
});
