import { randomBytes } from 'node:crypto';

import { createSecretBox } from '@heliograph/core';
import { eventually, openTestRedis, startOwnRedis } from '@heliograph/testing';
import type { Redis } from 'ioredis';

import { openRedis } from './connection.ts';
import { createSharedSecrets } from './shared-secrets.ts';

const SECRET = { value: 'bearer of much', ttlMs: 60_000 };
const LOCK_MS = 60_000;
const KEY = randomBytes(32);

const open: Redis[] = [];
afterEach(() => open.splice(0).forEach((redis) => redis.disconnect()));

async function connect(url: string): Promise<Redis> {
  const redis = openRedis(url, 'command', () => undefined);
  open.push(redis);
  await new Promise((resolve) => redis.once('ready', resolve));
  return redis;
}

async function setUp() {
  const { url, prefix } = await openTestRedis();
  const redis = await connect(url);
  const errors: Error[] = [];
  const share = (key = KEY) =>
    createSharedSecrets(redis, {
      prefix,
      secrets: createSecretBox(key),
      onError: (error) => errors.push(error),
    });
  return { redis, share, errors, keyOf: (name: string) => `${prefix}:secret:${name}` };
}

const keep = (value: string) => async () => ({ ...SECRET, value });

describe('a shared secret', () => {
  test('is what another process kept, until its time is over', async () => {
    const { redis, share, keyOf } = await setUp();
    const seen: (string | undefined)[] = [];

    const changed = await share().tryUpdate('apns', LOCK_MS, async (kept) => {
      seen.push(kept);
      return SECRET;
    });

    expect(changed).toBe(true);
    expect(seen).toEqual([undefined]);
    expect(await share().read('apns')).toBe('bearer of much');
    expect(await share().read('fcm')).toBeUndefined();
    const leftMs = await redis.pttl(keyOf('apns'));
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(60_000);
  });

  test('is changed knowing what was kept, or left alone', async () => {
    const { share } = await setUp();
    await share().tryUpdate('apns', LOCK_MS, keep('one'));

    await share().tryUpdate('apns', LOCK_MS, async (kept) => ({
      ...SECRET,
      value: `${kept}, two`,
    }));
    const left = await share().tryUpdate('apns', LOCK_MS, async () => undefined);

    expect(left).toBe(true);
    expect(await share().read('apns')).toBe('one, two');
  });

  test('is not readable in Redis', async () => {
    const { redis, share, keyOf } = await setUp();

    await share().tryUpdate('apns', LOCK_MS, async () => SECRET);

    const stored = await redis.getBuffer(keyOf('apns'));
    expect(stored?.toString('latin1')).not.toContain('bearer');
    expect(stored?.toString('base64')).not.toContain(Buffer.from('bearer').toString('base64'));
  });

  test('is not there for who has another secrets key, or when it was changed or moved', async () => {
    const { redis, share, keyOf, errors } = await setUp();
    await share().tryUpdate('apns', LOCK_MS, async () => SECRET);
    const stored = (await redis.getBuffer(keyOf('apns'))) ?? Buffer.alloc(0);

    const stranger = await share(randomBytes(32)).read('apns');
    await redis.set(keyOf('other'), stored);
    const moved = await share().read('other');
    stored[stored.length - 1]! ^= 1;
    await redis.set(keyOf('apns'), stored);
    const tampered = await share().read('apns');

    expect([stranger, moved, tampered]).toEqual([undefined, undefined, undefined]);
    expect(errors).toHaveLength(3);
  });

  test('that was tampered with can be kept anew', async () => {
    const { redis, share, keyOf } = await setUp();
    await redis.set(keyOf('apns'), 'nonsense');

    await share().tryUpdate('apns', LOCK_MS, async () => SECRET);

    expect(await share().read('apns')).toBe('bearer of much');
  });
});

describe('changes of a shared secret', () => {
  test('come one at a time, and other names do not wait', async () => {
    const { share } = await setUp();
    let finish = () => {};
    const slow = new Promise<void>((resolve) => (finish = resolve));
    let started = () => {};
    const start = new Promise<void>((resolve) => (started = resolve));
    const first = share().tryUpdate('apns', LOCK_MS, async () => {
      started();
      await slow;
      return { ...SECRET, value: 'first' };
    });
    await start;

    const second = await share().tryUpdate('apns', LOCK_MS, keep('second'));
    const other = await share().tryUpdate('fcm', LOCK_MS, keep('other'));
    finish();

    expect([second, other, await first]).toEqual([false, true, true]);
    expect(await share().read('apns')).toBe('first');
    expect(await share().tryUpdate('apns', LOCK_MS, keep('third'))).toBe(true);
  });

  test('that take longer than the lock change nothing, nor end the lock of the next', async () => {
    const { share } = await setUp();
    let next: Promise<boolean> | undefined;
    let finish = () => {};
    const slow = new Promise<void>((resolve) => (finish = resolve));

    const stalled = await share().tryUpdate('apns', 1, async () => {
      await eventually(async () => {
        next ??= share().tryUpdate('apns', LOCK_MS, async () => {
          await slow;
          return { ...SECRET, value: 'of the next' };
        });
        const first = await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 50))]);
        if (first === false) next = undefined;
        expect(first).toBeUndefined();
      });
      return { ...SECRET, value: 'of the stalled' };
    });
    const third = await share().tryUpdate('apns', LOCK_MS, keep('of a third'));
    finish();

    expect([stalled, third, await next]).toEqual([false, false, true]);
    expect(await share().read('apns')).toBe('of the next');
  });

  test('that fail change nothing, and make way', async () => {
    const { share } = await setUp();
    const failing = share().tryUpdate('apns', LOCK_MS, () => Promise.reject(new Error('no token')));

    await expect(failing).rejects.toThrow('no token');

    expect(await share().tryUpdate('apns', LOCK_MS, async () => SECRET)).toBe(true);
  });
});

test('shared secrets are refused while Redis is away, and work once it is back', async () => {
  const server = await startOwnRedis();
  const redis = await connect(server.url);
  const shared = createSharedSecrets(redis, {
    prefix: 'x',
    secrets: createSecretBox(KEY),
    onError: () => undefined,
  });
  await server.kill();

  await expect(shared.read('apns')).rejects.toThrow();
  await expect(shared.tryUpdate('apns', LOCK_MS, async () => SECRET)).rejects.toThrow();
  await server.start();

  await eventually(async () =>
    expect(await shared.tryUpdate('apns', LOCK_MS, async () => SECRET)).toBe(true),
  );
  expect(await shared.read('apns')).toBe('bearer of much');
  redis.disconnect();
  await server.stop();
});
