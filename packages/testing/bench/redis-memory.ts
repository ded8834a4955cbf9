import type { Redis } from 'ioredis';

/** What all keys of the connection's database take together, bytes. Exact: no connection's buffers, nobody else's keys. */
export async function readKeysBytes(redis: Redis): Promise<number> {
  const keys = await redis.keys('*');
  const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
  // A key may be gone by now.
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}
