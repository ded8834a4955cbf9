import { Redis } from 'ioredis';

/**
 * A connection that comes back by itself, for ever.
 * `command` is for callers who rather have an error now than an answer later; `blocking` is what BullMQ's workers need, and waits.
 */
export function openRedis(
  url: string,
  kind: 'command' | 'blocking',
  onError: (error: Error) => void,
): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: kind === 'blocking' ? null : 1,
    enableOfflineQueue: kind === 'blocking',
    connectTimeout: 5_000,
    ...(kind === 'command' ? { commandTimeout: 2_000 } : {}),
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 2_000),
  });
  redis.on('error', onError);
  return redis;
}

/** Every key and channel of ours begins with it. */
export const DEFAULT_PREFIX = 'heliograph';

/** The clock of Redis, ms since the epoch. Rejects when Redis does not answer. */
export async function readRedisTimeMs(redis: Redis): Promise<number> {
  const [seconds, micros] = (await redis.time()).map(Number);
  if (seconds === undefined || micros === undefined) throw new Error('Redis told no time');
  return seconds * 1000 + micros / 1000;
}
