import { openTestRedis } from '@heliograph/testing';
import type { Redis } from 'ioredis';

import { openRedis } from './connection.ts';
import { createNonces } from './nonces.ts';

const open: Redis[] = [];
afterEach(() => open.splice(0).forEach((redis) => redis.disconnect()));

async function connect(url: string): Promise<Redis> {
  const redis = openRedis(url, 'command', () => undefined);
  open.push(redis);
  await new Promise((resolve) => redis.once('ready', resolve));
  return redis;
}

describe('nonces', () => {
  test('are open to everybody until one of them was accepted, on whichever replica', async () => {
    const { url, prefix } = await openTestRedis();
    const options = { prefix, ttlMs: 60_000, onError: () => undefined };
    const [one, other] = [
      createNonces(await connect(url), options),
      createNonces(await connect(url), options),
    ];

    const before = [await one.claim(1, 'n'), await other.claim(1, 'n')];
    await one.accept(1, 'n');
    const after = [await one.claim(1, 'n'), await other.claim(1, 'n')];
    const others = [await other.claim(1, 'm'), await other.claim(2, 'n')];

    expect(before).toEqual(['open', 'open']);
    expect(after).toEqual(['accepted', 'accepted']);
    expect(others).toEqual(['open', 'open']);
  });

  test('are kept for as long as told, counted from the acceptance', async () => {
    const { url, prefix } = await openTestRedis();
    const redis = await connect(url);
    const nonces = createNonces(redis, { prefix, ttlMs: 600_000, onError: () => undefined });

    await nonces.claim(1, 'n');
    await redis.pexpire(`${prefix}:nonce:1:n`, 1000);
    await nonces.accept(1, 'n');

    const left = await redis.pttl(`${prefix}:nonce:1:n`);
    expect(left).toBeGreaterThan(500_000);
    expect(left).toBeLessThanOrEqual(600_000);
  });

  test('are open while Redis is away, and that is told', async () => {
    const { url, prefix } = await openTestRedis();
    const redis = await connect(url);
    const errors: Error[] = [];
    const onError = (error: Error) => errors.push(error);
    const nonces = createNonces(redis, { prefix, ttlMs: 60_000, onError });
    redis.disconnect();

    const claimed = await nonces.claim(1, 'n');
    await nonces.accept(1, 'n');

    expect(claimed).toBe('open');
    expect(errors).toHaveLength(2);
  });
});
