import { randomUUID } from 'node:crypto';

import { Redis } from 'ioredis';

import { fromNpmTest } from './checkout.ts';

const DATABASES = 1024;

export interface TestRedis {
  /** Names a database of the server that only this caller uses. */
  readonly url: string;
  /** For BullMQ's queues: its events know no databases. */
  readonly prefix: string;
}

/** An empty Redis database and a queue prefix of the caller's own. */
export async function openTestRedis(serverUrl = fromNpmTest('TEST_REDIS_URL')): Promise<TestRedis> {
  const redis = new Redis(serverUrl);
  try {
    const taken = await redis.incr('test:databases');
    // Database 0 holds the counter. When a run wants more than there are, the oldest is long done with.
    const database = 1 + ((taken - 1) % (DATABASES - 1));
    await redis.select(database);
    await redis.flushdb();
    return { url: `${serverUrl}/${database}`, prefix: `test-${randomUUID()}` };
  } finally {
    await redis.quit();
  }
}
