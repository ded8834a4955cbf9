import type { AttemptBucket, Attempts } from '@heliograph/queue';

/** More buckets than these are not remembered: the one that was left alone for longest goes. */
const MAX_BUCKETS = 10_000;

interface Held {
  readonly left: number;
  readonly at: number;
}

/** The attempts at this server alone, for while Redis does not answer. */
export function createLocalAttempts({
  now = () => performance.now(),
}: { readonly now?: () => number } = {}): Attempts {
  const known = new Map<string, Held>();

  function look({ name, size, perSecond }: AttemptBucket): number {
    const held = known.get(name);
    if (held === undefined) return size;
    return Math.min(size, held.left + ((now() - held.at) / 1000) * perSecond);
  }

  function keep(name: string, left: number): void {
    known.delete(name);
    const [oldest] = known.keys();
    if (known.size >= MAX_BUCKETS && oldest !== undefined) known.delete(oldest);
    known.set(name, { left, at: now() });
  }

  return {
    async take(buckets) {
      const waits = buckets.map((bucket) => ((1 - look(bucket)) / bucket.perSecond) * 1000);
      const waitMs = Math.max(0, ...waits);
      if (waitMs > 0) return Math.ceil(waitMs);
      for (const bucket of buckets) keep(bucket.name, look(bucket) - 1);
      return 0;
    },

    async giveBack(buckets) {
      for (const bucket of buckets) keep(bucket.name, Math.min(bucket.size, look(bucket) + 1));
    },
  };
}
