import type { RedisClient } from './connection.ts';
import { checkCount, checkRate, readNumbers, type Permits } from './permits.ts';

export interface RequestPermits extends Permits {
  /** What the bucket holds after that. */
  readonly left: number;
}

/** Buckets of permits for requests that callers make of us, over all servers. A bucket holds a second's worth, at least one, and begins full. */
export interface RequestRate {
  /** Takes up to `wanted` permits of a bucket that fills with `perSecond`. Rejects when Redis does not answer. */
  take(name: string, perSecond: number, wanted: number): Promise<RequestPermits>;
}

/*
 * KEYS[1] the bucket. ARGV: permits per second, wanted. Answers { granted, wait in ms, left }. A clock that was set back makes no time. A
 * bucket that would be full again is forgotten. Redis takes a script's numbers with all their digits.
 */
const TURN_BUCKET = `
local rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local holds = math.max(1, rate)
local stored = redis.call('HMGET', KEYS[1], 'permits', 'at')
local permits = holds
if stored[1] and stored[2] then
  permits = math.min(holds, tonumber(stored[1]) + math.max(0, now - tonumber(stored[2])) / 1000000 * rate)
end
local granted = math.min(wanted, math.floor(permits))
permits = permits - granted
redis.call('HSET', KEYS[1], 'permits', permits, 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(holds / rate * 1000) + 1000)
local wait = 0
if granted < wanted then wait = math.max(1, math.ceil((1 - permits) / rate * 1000)) end
return { granted, wait, math.floor(permits) }
`;

/** Kept in Redis and by its clock. */
export function createRequestRate(
  connection: RedisClient,
  { prefix }: { readonly prefix: string },
): RequestRate {
  return {
    async take(name, perSecond, wanted) {
      checkRate(perSecond);
      checkCount(wanted);
      // EVAL rather than EVALSHA, as for other buckets: none has to be loaded after Redis came back without it.
      const key = `${prefix}:requests:${name}`;
      const [granted = 0, waitMs = 0, left = 0] = readNumbers(
        await connection.eval(TURN_BUCKET, 1, key, perSecond, wanted),
      );
      return { granted, waitMs, left };
    },
  };
}
