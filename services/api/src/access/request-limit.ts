import type { RequestPermits, RequestRate } from '@heliograph/queue';

/** What a limit says to a request. */
export interface LimitVerdict {
  readonly allowed: boolean;
  /** Requests per second. */
  readonly limit: number;
  /** How many more are allowed now, as far as this server knows. */
  readonly remaining: number;
  /** Until all of them are allowed again, or, of a request that is not allowed, until one is. */
  readonly resetMs: number;
}

/** Limits how fast each key's requests come, over all servers. */
export interface RequestLimit {
  /** Never rejects: while Redis does not answer, everything is allowed, since a limit protects and must not take down. */
  take(keyId: string, perSecond: number): LimitVerdict | Promise<LimitVerdict>;
}

export interface RequestLimitDeps {
  readonly rate: RequestRate;
  readonly onError: (error: unknown) => void;
  readonly now?: () => number;
}

/** Permits are fetched for that long at this rate: one server's share of a bucket is no more than this. */
const CHUNK_SECONDS = 0.02;
const MAX_CHUNK = 200;
/** What was fetched and not used by then is given up: the bucket has filled meanwhile. */
const KEPT_MS = 1000;
/** No request waits longer for Redis, and it is asked again so soon after it failed. */
const PATIENCE_MS = 100;
const REST_MS = 1000;
const MAX_KEYS = 10_000;

interface Local {
  permits: number;
  left: number;
  /** Until then the permits count. */
  freshUntil: number;
  /** Until then there is none, here or in the bucket. */
  emptyUntil: number;
  fetching: Promise<void> | undefined;
}

export function createRequestLimit({
  rate,
  onError,
  now = () => performance.now(),
}: RequestLimitDeps): RequestLimit {
  const known = new Map<string, Local>();
  let restUntil = 0;

  function localOf(keyId: string): Local {
    const found = known.get(keyId);
    if (found !== undefined) return found;
    if (known.size >= MAX_KEYS) known.clear();
    const local = { permits: 0, left: 0, freshUntil: 0, emptyUntil: 0, fetching: undefined };
    known.set(keyId, local);
    return local;
  }

  /** The verdict where it can be known without Redis. */
  function decide(local: Local, perSecond: number): LimitVerdict | undefined {
    const at = now();
    if (local.permits > 0 && local.freshUntil > at) {
      local.permits -= 1;
      return toVerdict(true, local, perSecond, at);
    }
    if (local.emptyUntil > at) return toVerdict(false, local, perSecond, at);
    return restUntil > at ? toVerdict(true, local, perSecond, at) : undefined;
  }

  async function fetchChunk(keyId: string, local: Local, perSecond: number): Promise<void> {
    const chunk = Math.min(Math.max(Math.ceil(perSecond * CHUNK_SECONDS), 1), MAX_CHUNK);
    try {
      const { granted, waitMs, left } = await withPatience(rate.take(keyId, perSecond, chunk));
      const at = now();
      local.permits = granted;
      local.left = left;
      local.freshUntil = at + KEPT_MS;
      local.emptyUntil = granted === 0 ? at + waitMs : 0;
    } catch (error) {
      restUntil = now() + REST_MS;
      onError(error);
    } finally {
      local.fetching = undefined;
    }
  }

  async function decideByRedis(
    keyId: string,
    local: Local,
    perSecond: number,
  ): Promise<LimitVerdict> {
    for (;;) {
      local.fetching ??= fetchChunk(keyId, local, perSecond);
      await local.fetching;
      const verdict = decide(local, perSecond);
      if (verdict !== undefined) return verdict;
    }
  }

  return {
    take(keyId, perSecond) {
      const local = localOf(keyId);
      return decide(local, perSecond) ?? decideByRedis(keyId, local, perSecond);
    },
  };
}

function toVerdict(allowed: boolean, local: Local, perSecond: number, at: number): LimitVerdict {
  const limit = Math.max(1, Math.floor(perSecond));
  const remaining = allowed ? Math.min(limit, local.permits + local.left) : 0;
  const resetMs = allowed ? ((limit - remaining) / perSecond) * 1000 : local.emptyUntil - at;
  return { allowed, limit, remaining, resetMs };
}

function withPatience(asked: Promise<RequestPermits>): Promise<RequestPermits> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Redis takes too long')), PATIENCE_MS);
    asked.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
