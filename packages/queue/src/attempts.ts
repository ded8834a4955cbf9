import type { RedisClient } from './connection.ts';
import { checkRate, readNumbers } from './permits.ts';

/** How often something may be tried: `size` times at once, and `perSecond` times in the long run. */
export interface AttemptBucket {
  readonly name: string;
  readonly size: number;
  readonly perSecond: number;
}

/** Attempts of which only so many are allowed, over all servers. */
export interface Attempts {
  /** Takes one attempt of each bucket, or of none where one of them has none. Answers 0, or how long to wait, in ms. Rejects when Redis does not answer. */
  take(buckets: readonly AttemptBucket[]): Promise<number>;
  /** Puts back one attempt each. Rejects when Redis does not answer. */
  giveBack(buckets: readonly AttemptBucket[]): Promise<void>;
}

/*
 * KEYS the buckets. ARGV: how many to take of each (-1: one is put back), then size and attempts per second of each. Answers { wait in ms }. A
 * clock that was set back makes no time. A bucket that would be full again is forgotten.
 */
const TURN_BUCKETS = `
local wanted = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held, wait = {}, 0
for i, key in ipairs(KEYS) do
  local size, rate = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local stored = redis.call('HMGET', key, 'left', 'at')
  held[i] = size
  if stored[1] and stored[2] then
    held[i] = math.min(size, tonumber(stored[1]) + math.max(0, now - tonumber(stored[2])) / 1000000 * rate)
  end
  if held[i] < wanted then wait = math.max(wait, math.ceil((wanted - held[i]) / rate * 1000), 1) end
end
if wait > 0 then return { wait } end
for i, key in ipairs(KEYS) do
  local size, rate = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  redis.call('HSET', key, 'left', math.min(size, held[i] - wanted), 'at', now)
  redis.call('PEXPIRE', key, math.ceil(size / rate * 1000) + 1000)
end
return { 0 }
`;

/** Kept in Redis and by its clock. */
export function createAttempts(
  connection: RedisClient,
  { prefix }: { readonly prefix: string },
): Attempts {
  async function turn(wanted: number, buckets: readonly AttemptBucket[]): Promise<number> {
    for (const { perSecond } of buckets) checkRate(perSecond);
    // EVAL rather than EVALSHA, as for other buckets: none has to be loaded after Redis came back without it.
    const [waitMs = 0] = readNumbers(
      await connection.eval(
        TURN_BUCKETS,
        buckets.length,
        ...buckets.map(({ name }) => `${prefix}:attempts:${name}`),
        wanted,
        ...buckets.flatMap(({ size, perSecond }) => [size, perSecond]),
      ),
    );
    return waitMs;
  }

  return {
    take: (buckets) => turn(1, buckets),
    giveBack: async (buckets) => void (await turn(-1, buckets)),
  };
}
