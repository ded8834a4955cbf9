import type { StoredApiKey } from '@heliograph/db';

import { createKeyRing } from './key-ring.ts';

function toKey(id: string): StoredApiKey {
  return {
    id,
    name: 'test',
    secretHash: Buffer.alloc(32),
    scopes: ['read'],
    app: null,
    ratePerSecond: null,
    expiresAt: null,
  };
}

/** A ring over keys whose ids begin with `k`; `release` lets the statement under way end. */
function setUp(maxAgeMs?: number) {
  const reads: (readonly string[])[] = [];
  let release: () => void = () => undefined;
  const ring = createKeyRing({
    async read(ids) {
      reads.push(ids);
      await new Promise<void>((resolve) => (release = resolve));
      return ids.filter((id) => id.startsWith('k')).map(toKey);
    },
    ...(maxAgeMs !== undefined && { maxAgeMs }),
  });
  const next = async () => {
    await new Promise(setImmediate);
    release();
    await new Promise(setImmediate);
  };
  return { ring, reads, next };
}

describe('the key ring', () => {
  test('asks once for whoever comes at the same time, and no more while the answer is fresh', async () => {
    const { ring, reads, next } = setUp(3_600_000);

    const asked = Promise.all([ring.find('k1'), ring.find('k1'), ring.find('x')]);
    await next();
    const [first, second, unknown] = await asked;

    expect([first?.id, second?.id, unknown]).toEqual(['k1', 'k1', undefined]);
    expect(ring.find('k1')).toMatchObject({ id: 'k1' });
    expect(ring.find('x')).toBeUndefined();
    expect(reads).toEqual([['k1', 'x']]);
  });

  test('asks for a whole flood of made-up ids by one statement at a time', async () => {
    const { ring, reads, next } = setUp(3_600_000);
    const first = ring.find('x');
    await new Promise(setImmediate);

    const flood = Array.from({ length: 1000 }, async (_, n) => ring.find(`x${n}`));
    const known = ring.find('k1');
    await next();
    await next();

    await Promise.all([first, ...flood]);
    expect((await known)?.id).toBe('k1');
    expect(reads.map((ids) => ids.length)).toEqual([1, 1001]);
  });

  test('looks again when an answer is old', async () => {
    const { ring, reads, next } = setUp(0);
    for (let n = 0; n < 2; n += 1) {
      const asked = ring.find('k1');
      await next();
      await asked;
    }

    expect(reads).toEqual([['k1'], ['k1']]);
  });

  test('keeps keys, whatever number of ids was none', async () => {
    const { ring, reads, next } = setUp(3_600_000);
    const key = ring.find('k1');
    await next();
    await key;

    const flood = Array.from({ length: 25_000 }, async (_, n) => ring.find(`x${n}`));
    await next();
    await Promise.all(flood);

    expect(ring.find('k1')).toMatchObject({ id: 'k1' });
    expect(reads.length).toBe(2);
  });

  test('fails those who asked when the database does not answer, and asks again for the next', async () => {
    let isAway = true;
    const ring = createKeyRing({
      read: (ids) => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(ids.map(toKey))),
    });

    await expect(ring.find('k1')).rejects.toThrow('away');
    isAway = false;

    expect(await ring.find('k1')).toMatchObject({ id: 'k1' });
  });
});
