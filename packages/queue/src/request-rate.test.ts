import { openTestRedis } from '@heliograph/testing';
import type { Redis } from 'ioredis';

import { openRedis } from './connection.ts';
import { createRequestRate } from './request-rate.ts';

const open: Redis[] = [];
afterEach(() => open.splice(0).forEach((redis) => redis.disconnect()));

async function setUp() {
  const { url, prefix } = await openTestRedis();
  const redis = openRedis(url, 'command', () => undefined);
  open.push(redis);
  await new Promise((resolve) => redis.once('ready', resolve));
  return { redis, rate: createRequestRate(redis, { prefix }), key: `${prefix}:requests:k` };
}

/** So slow that no test sees a permit come. */
const SLOW = 0.001;

describe('the request rate', () => {
  test('grants a second at once, and tells what is left', async () => {
    const { rate } = await setUp();

    const { granted, left } = await rate.take('k', 100, 60);

    expect(granted).toBe(60);
    expect(left).toBeGreaterThanOrEqual(40);
  });

  test('grants no more than there is, and says when there will be one', async () => {
    const { rate } = await setUp();

    const first = await rate.take('k', SLOW, 1);
    const second = await rate.take('k', SLOW, 1);

    expect(first).toEqual({ granted: 1, waitMs: 0, left: 0 });
    expect(second).toMatchObject({ granted: 0, left: 0 });
    expect(second.waitMs).toBeGreaterThan(900_000);
    expect(second.waitMs).toBeLessThanOrEqual(1_000_000);
  });

  test('fills as time goes by, up to a second', async () => {
    const { redis, rate, key } = await setUp();
    await rate.take('k', 10, 10);
    await redis.hset(key, { permits: 0, at: (Date.now() - 3_600_000) * 1000 });

    const { granted, left } = await rate.take('k', 10, 25);

    expect(granted).toBe(10);
    expect(left).toBe(0);
  });

  test('is not moved by a clock that was set back', async () => {
    const { redis, rate, key } = await setUp();
    await rate.take('k', SLOW, 1);
    await redis.hset(key, { permits: 0, at: (Date.now() + 3_600_000) * 1000 });

    expect(await rate.take('k', SLOW, 1)).toMatchObject({ granted: 0 });
  });

  test('counts each name for itself, and forgets those that are full again', async () => {
    const { redis, rate, key } = await setUp();
    await rate.take('k', SLOW, 1);

    expect(await rate.take('other', SLOW, 1)).toMatchObject({ granted: 1 });
    const ttlMs = await redis.pttl(key);
    expect(ttlMs).toBeGreaterThan(900_000);
    expect(ttlMs).toBeLessThanOrEqual(1_001_000);
  });

  test('rejects when Redis does not answer', async () => {
    const { redis, rate } = await setUp();
    redis.disconnect();

    await expect(rate.take('k', 1, 1)).rejects.toThrow();
  });
});
