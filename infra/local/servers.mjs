// PostgreSQL and Redis together.

import { startPostgres } from './postgres.mjs';
import { startRedis } from './redis.mjs';

/**
 * Starts both at once, each with its options, or takes the `url` given instead. When one fails, the other is
 * stopped. `stop` ends Redis last: a worker does not get through its own stop once its Redis is gone.
 */
export async function startServers({ postgres = {}, redis = {}, signal }) {
  const started = await Promise.allSettled([
    postgres.url ? foreign(postgres.url) : startPostgres({ ...postgres, signal }),
    redis.url ? foreign(redis.url) : startRedis({ ...redis, signal }),
  ]);
  const stop = async () => {
    for (const { value } of started) await value?.stop();
  };

  const failure = started.find(({ status }) => status === 'rejected');
  if (failure !== undefined || signal?.aborted) {
    await stop();
    throw failure?.reason ?? signal.reason;
  }
  return { postgres: started[0].value, redis: started[1].value, stop };
}

async function foreign(url) {
  return { url, stop: async () => undefined };
}
