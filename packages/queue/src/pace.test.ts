import { setTimeout as sleep } from 'node:timers/promises';

import { eventually, openTestRedis, startOwnRedis } from '@heliograph/testing';
import type { Redis } from 'ioredis';

import { openRedis } from './connection.ts';
import { createPaceBuckets } from './pace.ts';

const open: Redis[] = [];
afterEach(() => open.splice(0).forEach((redis) => redis.disconnect()));

function ignore(): void {}

async function connect(url: string): Promise<Redis> {
  const redis = openRedis(url, 'command', ignore);
  open.push(redis);
  await new Promise((resolve) => redis.once('ready', resolve));
  return redis;
}

const PACE = { ceiling: 9_000, base: 150 };
const ALL = 1_000_000;

const PASS = `
if redis.call('EXISTS', KEYS[1]) == 0 then return end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local shift = now - redis.call('HGET', KEYS[1], 'at') - ARGV[1]
for _, name in ipairs({ 'at', 'halved', 'held' }) do
  redis.call('HSET', KEYS[1], name, redis.call('HGET', KEYS[1], name) + shift)
end`;

async function setUp(pace = PACE) {
  const { url, prefix } = await openTestRedis();
  const redis = await connect(url);
  const buckets = createPaceBuckets(redis, { prefix, onError: ignore });
  const key = `${prefix}:pace:fcm`;

  /** Makes it so much later for the bucket than when it was last asked, however long that really is ago. */
  async function pass(seconds: number): Promise<void> {
    await redis.eval(PASS, 1, key, seconds * 1_000_000);
  }
  const take = (wanted: number, leaving = false) => buckets.take('fcm', pace, wanted, { leaving });
  /** Takes so much of each fifth of a second, or all there is; answers the rate then. */
  async function use(seconds: number, perSecond = ALL): Promise<number> {
    for (let n = 0; n < seconds * 5; n += 1) {
      await pass(0.2);
      await take(Math.round(perSecond / 5));
    }
    return (await take(0)).perSecond;
  }
  return { url, prefix, redis, buckets, key, pass, take, use };
}

describe('a paced bucket', () => {
  test('has a quarter second of its base at hand after a rest', async () => {
    const { take } = await setUp();

    const first = await take(30);
    const rest = await take(1_000);

    expect(first).toEqual({ granted: 30, waitMs: 0, perSecond: 150 });
    expect(rest.granted).toBeGreaterThanOrEqual(7);
    expect(rest.granted).toBeLessThanOrEqual(37);
    expect(rest.waitMs).toBeGreaterThan(0);
  });

  test('rises from its base to its ceiling in a minute of full use', async () => {
    const { use } = await setUp();

    const half = await use(30);
    const almost = await use(26);
    const full = await use(6);

    expect(half).toBeGreaterThan(4_000);
    expect(half).toBeLessThan(5_200);
    expect(almost).toBeLessThan(9_000);
    expect(full).toBe(9_000);
  });

  test('grants its rate to all takers together, however many there are', async () => {
    const { url, prefix } = await setUp();
    const pace = { ceiling: 2_000, base: 2_000 };
    const takers = await Promise.all(
      [1, 2, 3, 4].map(async () =>
        createPaceBuckets(await connect(url), { prefix, onError: ignore }),
      ),
    );
    const startedAt = performance.now();
    const seconds = () => (performance.now() - startedAt) / 1000;
    let granted = 0;

    await Promise.all(
      takers.map(async (taker) => {
        while (seconds() < 1.5) {
          const permits = await taker.take('fcm', pace, 50);
          granted += permits.granted;
          await sleep(permits.waitMs);
        }
      }),
    );

    // Redis counts by a clock that may be slewed against ours: 1 in 1000.
    expect(granted).toBeLessThanOrEqual(500 + 2_000 * seconds() * 1.001);
    expect(granted).toBeGreaterThan(0.8 * 2_000 * 1.5);
  });

  test('does not rise by time alone, nor for a handful', async () => {
    const { pass, use } = await setUp();

    expect(await use(60, 20)).toBeLessThan(160);
    await pass(3_600);
    expect(await use(1, 20)).toBeLessThan(160);
  });

  test('settles at no more than twice what is used', async () => {
    const { use } = await setUp();
    await use(62);

    const settled = await use(180, 2_000);

    expect(settled).toBeGreaterThan(2_000);
    expect(settled).toBeLessThan(5_000);
  });

  test('starts slowly again after a minute of rest', async () => {
    const { pass, take, use } = await setUp();
    expect(await use(62)).toBe(9_000);

    await pass(10);
    await take(0);
    const shortly = await take(0);
    await pass(60);
    await take(0);
    const later = await take(0);

    expect(shortly.perSecond).toBeGreaterThan(7_000);
    expect(later.perSecond).toBe(150);
  });

  test('halves its rate once for all who were refused together, and again 30 s later', async () => {
    const { buckets, take, use } = await setUp();
    await use(62);

    await Promise.all(Array.from({ length: 20 }, () => buckets.slowDown('fcm', PACE)));
    const once = await take(0);
    await use(31);
    await buckets.slowDown('fcm', PACE);
    const twice = await take(0);

    expect(once.perSecond).toBeLessThanOrEqual(4_501);
    expect(once.perSecond).toBeGreaterThan(4_400);
    expect(twice.perSecond).toBeGreaterThan(2_200);
    expect(twice.perSecond).toBeLessThan(2_600);
  });

  test('rises by a tenth in 30 s after that, and starts slowly only up to what was taken', async () => {
    const { buckets, pass, take, use } = await setUp();
    await use(62);
    await buckets.slowDown('fcm', PACE);

    const after30s = await use(30);
    await pass(120);
    await take(0);
    const afterRest = await use(60);
    const muchLater = await use(300);

    expect(after30s).toBeGreaterThan(4_800);
    expect(after30s).toBeLessThan(5_100);
    expect(afterRest).toBeGreaterThan(4_800);
    expect(afterRest).toBeLessThan(6_200);
    expect(muchLater).toBe(9_000);
  });

  test('has nothing left when it is halved, and never falls below its base', async () => {
    const { buckets, pass, take } = await setUp();
    await take(0);
    await buckets.slowDown('fcm', PACE);
    const { granted } = await take(37);
    for (let n = 0; n < 20; n += 1) {
      await pass(31);
      await buckets.slowDown('fcm', PACE);
    }
    await pass(1);

    expect(granted).toBeLessThan(37);
    expect((await take(1)).granted).toBe(1);
    // Rounded up, and it has risen a little since.
    expect([150, 151]).toContain((await take(0)).perSecond);
  });

  test('grants nothing for as long as the provider wants, a minute at most', async () => {
    const { buckets, pass, take } = await setUp();
    await take(0);

    await buckets.slowDown('fcm', PACE, 5_000);
    await pass(3);
    const held = await take(1);
    await pass(2.1);
    const released = await take(1);
    await buckets.slowDown('fcm', PACE, 3_600_000);
    await pass(50);
    const heldAgain = await take(1);
    await pass(10.1);
    const releasedAgain = await take(1);

    expect(held).toMatchObject({ granted: 0 });
    expect(held.waitMs).toBeGreaterThan(1_000);
    expect(held.waitMs).toBeLessThanOrEqual(2_000);
    expect(released.granted).toBe(1);
    expect(heldAgain.granted).toBe(0);
    expect(releasedAgain.granted).toBe(1);
  });

  test('leaves a tenth of what it holds to others where it is asked to', async () => {
    const { take } = await setUp({ ceiling: 4, base: 4 });
    const alone = await take(1, true);
    const { buckets } = await setUp();
    const pace = { ceiling: 4_000, base: 4_000 };

    const leaving = await buckets.take('fcm', pace, 1_000, { leaving: true });
    const others = await buckets.take('fcm', pace, 1_000);

    // Of a single permit there is no tenth.
    expect(alone.granted).toBe(1);
    expect(leaving.granted).toBe(900);
    expect(others.granted).toBeGreaterThanOrEqual(100);
  });

  test('takes back what was not used, and no more than it holds', async () => {
    const { buckets, take } = await setUp({ ceiling: 4, base: 4 });
    const pace = { ceiling: 4, base: 4 };
    await take(1);

    await buckets.giveBack('fcm', pace, 1_000_000);

    expect((await take(1_000_000)).granted).toBe(1);
  });

  test('means by a changed ceiling the new one', async () => {
    const { buckets } = await setUp();
    const rateOf = async (ceiling: number) =>
      (await buckets.take('fcm', { ceiling, base: ceiling }, 0)).perSecond;

    expect(await rateOf(10)).toBe(10);
    expect(await rateOf(500)).toBe(500);
    expect(await rateOf(20)).toBe(20);
  });

  test('is not stuck when the clock was set back', async () => {
    const { redis, key, take, pass } = await setUp();
    await take(1);
    const ahead = (Date.now() + 3_600_000) * 1000;
    await redis.hset(key, { permits: 0, at: ahead, halved: ahead, held: ahead });

    expect((await take(1)).granted).toBe(0);
    await pass(61);

    expect((await take(1)).granted).toBe(1);
  });

  test('is forgotten when it was not used for long', async () => {
    const { redis, key, take } = await setUp();
    await take(1);

    expect(await redis.pttl(key)).toBeGreaterThan(590_000);
    expect(await redis.pttl(key)).toBeLessThanOrEqual(600_000);
  });

  test.each([
    [{ ceiling: 0, base: 1 }, 1],
    [{ ceiling: Number.NaN, base: 1 }, 1],
    [{ ceiling: 1, base: Number.POSITIVE_INFINITY }, 1],
    [{ ceiling: 1, base: 1 }, -1],
    [{ ceiling: 1, base: 1 }, 0.5],
  ])('refuses a pace of %j with %d wanted', async (pace, wanted) => {
    const { buckets, redis, key } = await setUp();

    await expect(buckets.take('fcm', pace, wanted)).rejects.toThrow(RangeError);
    expect(await redis.exists(key)).toBe(0);
  });

  test('grants nothing while Redis is away, and goes on once it is back', async () => {
    const server = await startOwnRedis();
    const errors: Error[] = [];
    const redis = await connect(server.url);
    const onError = (error: Error) => void errors.push(error);
    const buckets = createPaceBuckets(redis, { prefix: 'x', onError });
    await server.kill();

    await expect(buckets.take('fcm', PACE, 1)).rejects.toThrow();
    expect(errors).toEqual([]);
    await buckets.giveBack('fcm', PACE, 1);
    await buckets.slowDown('fcm', PACE);
    expect(errors).toHaveLength(2);

    await server.start();
    await eventually(async () => expect((await buckets.take('fcm', PACE, 1)).granted).toBe(1));
    redis.disconnect();
    await server.stop();
  });
});
