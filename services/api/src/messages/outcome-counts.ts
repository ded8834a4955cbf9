import { PROVIDERS, type Provider } from '@heliograph/core';
import type { OutcomeCount } from '@heliograph/db';

/** The wire's counts of one platform: expired counts as failed, skipped is not counted. */
export interface PlatformCounts {
  readonly sent: number;
  readonly failed: number;
  readonly pending: number;
  /** sent + failed + pending */
  readonly total: number;
}

export type CountsByProvider = Readonly<Record<Provider, PlatformCounts>>;

/** Sums the counts of any number of messages, per platform. */
export function toCounts(
  rows: readonly Pick<OutcomeCount, 'provider' | 'state' | 'count'>[],
): CountsByProvider {
  const counts = { apns: toEmptyCounts(), fcm: toEmptyCounts() };
  for (const { provider, state, count } of rows) {
    if (state === 'skipped') continue;
    const platform = counts[provider];
    platform[state === 'expired' ? 'failed' : state] += count;
    platform.total += count;
  }
  return counts;
}

/** The counts of a request that reached nobody. */
export const NO_COUNTS: CountsByProvider = toCounts([]);

function toEmptyCounts() {
  return { sent: 0, failed: 0, pending: 0, total: 0 };
}

/** Whether this, kept as JSON, is such counts. */
export function isCounts(value: unknown): value is CountsByProvider {
  return typeof value === 'object' && value !== null && PROVIDERS.every((p) => p in value);
}
