import { openTestRedis } from '@heliograph/testing';
import type { Redis } from 'ioredis';

import { createAttempts } from './attempts.ts';
import { openRedis } from './connection.ts';

const open: Redis[] = [];
afterEach(() => open.splice(0).forEach((redis) => redis.disconnect()));

async function setUp() {
  const { url, prefix } = await openTestRedis();
  const redis = openRedis(url, 'command', () => undefined);
  open.push(redis);
  await new Promise((resolve) => redis.once('ready', resolve));
  return { redis, prefix, attempts: createAttempts(redis, { prefix }) };
}

/** So slow that no test sees an attempt come. */
const SLOW = 0.0001;
const small = { name: 'small', size: 2, perSecond: SLOW };
const large = { name: 'large', size: 5, perSecond: SLOW };

describe('attempts', () => {
  test('are as many as the bucket holds, and then there is a wait', async () => {
    const { attempts } = await setUp();

    const waits = [];
    for (let n = 0; n < 3; n += 1) waits.push(await attempts.take([small]));

    expect(waits.slice(0, 2)).toEqual([0, 0]);
    expect(waits[2]).toBeGreaterThan(9_000_000);
    expect(waits[2]).toBeLessThanOrEqual(10_000_000);
  });

  test('are taken of every bucket, or of none', async () => {
    const { attempts, redis, prefix } = await setUp();
    for (let n = 0; n < 2; n += 1) await attempts.take([small, large]);

    const refused = await attempts.take([small, large]);

    expect(refused).toBeGreaterThan(0);
    expect(Number(await redis.hget(`${prefix}:attempts:large`, 'left'))).toBeCloseTo(3, 1);
  });

  test('may be put back, but no more than the bucket holds', async () => {
    const { attempts } = await setUp();
    await attempts.take([small]);
    await attempts.giveBack([small]);
    await attempts.giveBack([small]);

    const waits = [];
    for (let n = 0; n < 3; n += 1) waits.push(await attempts.take([small]));

    expect(waits.map((wait) => wait === 0)).toEqual([true, true, false]);
  });

  test('come again with time, and a full bucket is forgotten', async () => {
    const { attempts, redis, prefix } = await setUp();
    await attempts.take([small]);
    await attempts.take([small]);
    // A long time ago, by the clock of Redis.
    await redis.hset(`${prefix}:attempts:small`, 'at', 0);

    expect(await attempts.take([small])).toBe(0);

    const ttl = await redis.pttl(`${prefix}:attempts:small`);
    expect(ttl).toBeGreaterThan(19_000_000);
    expect(ttl).toBeLessThanOrEqual(20_001_000);
  });

  test('reject when Redis does not answer', async () => {
    const { attempts, redis } = await setUp();
    redis.disconnect();

    await expect(attempts.take([small])).rejects.toThrow('');
  });

  test('take a rate that is one', async () => {
    const { attempts } = await setUp();

    await expect(attempts.take([{ ...small, perSecond: 0 }])).rejects.toThrow(RangeError);
  });
});
