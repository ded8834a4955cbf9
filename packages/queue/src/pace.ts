import type { RedisClient } from './connection.ts';
import { toError, type LaneOptions } from './hint-queue.ts';
import { checkCount, checkRate, readNumbers, type Permits } from './permits.ts';

/** How fast an account may be sent to. */
export interface Pace {
  /** Per second, at most. */
  readonly ceiling: number;
  /** Per second, after a rest and at least. From there it rises to the ceiling in a minute of use; the same as the ceiling: a steady rate. */
  readonly base: number;
}

export interface PacedPermits extends Permits {
  /** The rate that the fleet has now, per second; rounded up. */
  readonly perSecond: number;
}

/**
 * Buckets of permits that the whole fleet shares, with a rate that follows what the provider takes. A bucket holds a quarter second's worth,
 * at least one permit.
 */
export interface PaceBuckets {
  /**
   * Takes up to `wanted` permits. With `leaving` the last tenth of what the bucket holds stays for others. Rejects when Redis does
   * not answer.
   */
  take(
    name: string,
    pace: Pace,
    wanted: number,
    options?: { readonly leaving?: boolean },
  ): Promise<PacedPermits>;
  /** Puts back what was not used. Never rejects. */
  giveBack(name: string, pace: Pace, unused: number): Promise<void>;
  /**
   * The provider refused for a used-up quota: halves the rate, once for all that ask within 30 s, and grants nothing for
   * `holdMs`, a minute at most. Never rejects.
   */
  slowDown(name: string, pace: Pace, holdMs?: number): Promise<void>;
}

/** A provider's quotas are per minute: a hold or a rest of that length is over them. */
const MINUTE_MS = 60_000;
/** What is under way when the rate is halved goes on to be refused; only after this is a refusal news. */
const HALVED_ONCE_MS = 30_000;
/** What was learned about an account is forgotten when it was not used for so long. */
const KEPT_MS = 10 * 60_000;

/*
 * KEYS[1] the bucket. ARGV: ceiling, base, wanted, given back, 1 to leave a tenth, 1 to slow down, hold in ms, then the three
 * constants above. Answers { granted, wait in ms, rate }.
 *
 * `share` of the ceiling is the rate. Time counts as use while the bucket was not full, and as rest while it was: use raises the rate, by
 * the whole range in a minute; rest lowers it again as fast, so it settles at no more than twice what is used. `safe` is the share that
 * the provider is known to take: above it the rate rises by 10 % in 30 s only. Both are shares, so that they mean the same
 * when the ceiling is changed, and neither falls below the base: so much is tried however often the provider refuses. A clock that was set back makes no time. Redis takes a script's numbers with all their digits.
 */
const TURN_BUCKET = `
local ceiling, base, wanted, givenBack = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local leaving, slowing, hold = ARGV[5] == '1', ARGV[6] == '1', tonumber(ARGV[7])
local minute, halvedOnce, kept = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function holds(share) return math.max(1, ceiling * share / 4) end

local first = math.min(1, base / ceiling)
local stored = redis.call('HMGET', KEYS[1], 'permits', 'at', 'share', 'safe', 'halved', 'held')
local permits, share, safe, halved, held = holds(first), first, 1, 0, 0
if stored[1] then
  permits, share, safe = tonumber(stored[1]), tonumber(stored[3]), tonumber(stored[4])
  halved = math.min(tonumber(stored[5]), now)
  held = math.min(tonumber(stored[6]), now + minute * 1000)
  local seconds = math.max(0, now - tonumber(stored[2])) / 1000000
  local rate = ceiling * share
  local used = math.min(seconds, math.max(0, holds(share) - permits) / rate)
  permits = math.min(permits + seconds * rate, holds(share))
  local slope = (1 - first) / (minute / 1000)
  if share < safe then share = math.min(safe, share + slope * used)
  else share = math.min(1, share * 1.1 ^ (used / 30)) end
  safe = math.max(safe, share)
  share = math.max(first, share - slope * (seconds - used))
end

permits = math.min(permits + givenBack, holds(share))
if slowing then
  if now - halved >= halvedOnce * 1000 then
    share = math.max(first, share / 2)
    safe, halved = share, now
  end
  permits = 0
  held = math.max(held, now + math.min(hold, minute) * 1000)
end

local left = 0
if leaving then left = math.floor(holds(share) / 10) end
local granted = 0
if held <= now then granted = math.max(0, math.min(wanted, math.floor(permits) - left)) end
permits = permits - granted
redis.call('HSET', KEYS[1], 'permits', permits, 'at', now, 'share', share, 'safe', safe, 'halved', halved, 'held', held)
redis.call('PEXPIRE', KEYS[1], math.max(kept, math.ceil(1000 / (ceiling * share))))
local wait = 0
if granted < wanted then
  wait = math.max(1, math.ceil((1 + left - permits) / (ceiling * share) * 1000), math.ceil((held - now) / 1000))
end
return { granted, wait, math.ceil(ceiling * share) }
`;

interface Turn {
  readonly wanted?: number;
  readonly givenBack?: number;
  readonly leaving?: boolean;
  readonly holdMs?: number;
}

/** Paces, kept in Redis and by its clock. */
export function createPaceBuckets(
  connection: RedisClient,
  { prefix, onError }: LaneOptions,
): PaceBuckets {
  async function turn(name: string, { ceiling, base }: Pace, what: Turn): Promise<PacedPermits> {
    const { wanted = 0, givenBack = 0, leaving = false, holdMs } = what;
    [ceiling, base].forEach(checkRate);
    [wanted, givenBack].forEach(checkCount);
    // EVAL rather than EVALSHA, as for limits: none has to be loaded after Redis came back without it.
    const [granted = 0, waitMs = 0, perSecond = 0] = readNumbers(
      await connection.eval(
        TURN_BUCKET,
        1,
        `${prefix}:pace:${name}`,
        ceiling,
        base,
        wanted,
        givenBack,
        leaving ? 1 : 0,
        holdMs === undefined ? 0 : 1,
        holdMs ?? 0,
        MINUTE_MS,
        HALVED_ONCE_MS,
        KEPT_MS,
      ),
    );
    return { granted, waitMs, perSecond };
  }

  async function tell(name: string, pace: Pace, what: Turn): Promise<void> {
    try {
      await turn(name, pace, what);
    } catch (error) {
      onError(toError(error));
    }
  }

  return {
    take: (name, pace, wanted, { leaving = false } = {}) => turn(name, pace, { wanted, leaving }),
    async giveBack(name, pace, unused) {
      if (unused > 0) await tell(name, pace, { givenBack: unused });
    },
    slowDown: (name, pace, holdMs = 0) => tell(name, pace, { holdMs }),
  };
}
