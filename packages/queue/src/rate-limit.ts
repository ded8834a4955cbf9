import type { RedisClient } from './connection.ts';
import { toError, type LaneOptions } from './hint-queue.ts';
import { checkCount, checkRate, readNumbers, type Permits } from './permits.ts';

/** Buckets of permits that the whole fleet shares. A name that was not used for long begins with one permit. */
export interface RateLimit {
  /**
   * Takes up to `wanted` permits of a bucket that fills with `perSecond` (more than 0) and holds a quarter second's worth, at least
   * one. Rejects when Redis does not answer: then nothing may be sent.
   */
  take(name: string, perSecond: number, wanted: number): Promise<Permits>;
  /** Puts back what was not used. Never rejects. */
  giveBack(name: string, perSecond: number, unused: number): Promise<void>;
}

/** An idle bucket is forgotten after so long, or later where it needs more time to have one permit. */
const KEPT_MS = 5000;

/*
 * KEYS[1] the bucket. ARGV: permits per second, wanted, given back, KEPT_MS. Answers { granted, wait in ms }.
 * Time counts at the slower of the rate then and the rate now, so that a raised rate makes nothing of the past. A clock that was
 * set back makes no time; from there on it counts again. Forgetting a bucket gives nobody anything: it is kept until it would hold
 * the one permit that a new one begins with. Redis takes a script's numbers with all their digits.
 */
const TURN_BUCKET = `
local rate, wanted, givenBack = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stored = redis.call('HMGET', KEYS[1], 'permits', 'at', 'rate')
local permits = 1
if stored[1] and stored[2] and stored[3] then
  local seconds = math.max(0, now - tonumber(stored[2])) / 1000000
  permits = tonumber(stored[1]) + seconds * math.min(rate, tonumber(stored[3]))
end
permits = math.min(permits + givenBack, math.max(1, rate / 4))
local granted = math.min(wanted, math.floor(permits))
permits = permits - granted
redis.call('HSET', KEYS[1], 'permits', permits, 'at', now, 'rate', rate)
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[4]), math.ceil(1000 / rate)))
local wait = 0
if granted < wanted then wait = math.max(1, math.ceil((1 - permits) / rate * 1000)) end
return { granted, wait }
`;

/** Limits on rates, kept in Redis and by its clock. */
export function createRateLimit(
  connection: RedisClient,
  { prefix, onError }: LaneOptions,
): RateLimit {
  async function turn(
    name: string,
    perSecond: number,
    wanted: number,
    givenBack: number,
  ): Promise<Permits> {
    checkRate(perSecond);
    [wanted, givenBack].forEach(checkCount);
    // EVAL rather than EVALSHA: the script is short, and so none has to be loaded after Redis came back without it.
    const [granted = 0, waitMs = 0] = readNumbers(
      await connection.eval(
        TURN_BUCKET,
        1,
        `${prefix}:rate:${name}`,
        perSecond,
        wanted,
        givenBack,
        KEPT_MS,
      ),
    );
    return { granted, waitMs };
  }

  return {
    take: (name, perSecond, wanted) => turn(name, perSecond, wanted, 0),
    async giveBack(name, perSecond, unused) {
      if (unused === 0) return;
      try {
        await turn(name, perSecond, 0, unused);
      } catch (error) {
        onError(toError(error));
      }
    },
  };
}
