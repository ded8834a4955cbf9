/** How the delay before the next attempt grows. Delays are in milliseconds and get jitter. */
interface Backoff {
  /** The delay after the first, second … such answer; the last one repeats. */
  readonly stepsMs: readonly number[];
  /** No delay is shorter, jitter included. */
  readonly minMs: number;
}

const MINUTE = 60_000;

/** No single wait is longer, apart from what a provider asks for itself. */
const CAP_MS = 15 * MINUTE;

const doubling = (baseMs: number) =>
  Array.from({ length: 12 }, (_, n) => Math.min(CAP_MS, baseMs * 2 ** n));

export const BACKOFFS = {
  /** Apple: 5xx may be retried after 15 minutes, with back-off allowed; we look twice before that. */
  apns_trouble: { stepsMs: [15_000, 2 * MINUTE, 15 * MINUTE], minMs: 7_500 },
  /** Apple, 429 TooManyRequests: too many pushes to one device. */
  apns_device_throttled: { stepsMs: doubling(MINUTE), minMs: 30_000 },
  /** Apple, 429 TooManyProviderTokenUpdates: our tokens changed too often. */
  apns_token_updates: { stepsMs: [5 * MINUTE], minMs: 5 * MINUTE },
  /** Google: wait at least 10 s before any retry, and double it. */
  fcm_trouble: { stepsMs: doubling(10_000), minMs: 10_000 },
  /** Google: a 429 without Retry-After means a minute. */
  fcm_quota: { stepsMs: doubling(MINUTE), minMs: MINUTE },
  /** LivePerson: a push that a customer's proxy failed to take is sent again every 10 s. */
  proxy_trouble: { stepsMs: [10_000], minMs: 10_000 },
  /** For customers who want more patience than that; LivePerson's advice to callers of its own API. */
  proxy_trouble_long: { stepsMs: doubling(2 * MINUTE), minMs: MINUTE },
  /** We: a 429 of a customer's proxy without Retry-After means a minute. */
  proxy_throttled: { stepsMs: doubling(MINUTE), minMs: MINUTE },
  /** No connection: nothing was sent, so it may go again soon. */
  connection: { stepsMs: doubling(2_000), minMs: 1_000 },
  /** The answer got lost; time for the provider to settle before it may be shown twice. */
  ambiguous: { stepsMs: doubling(15_000), minMs: 10_000 },
  /** A receiver of callbacks that failed; ours. */
  callback: { stepsMs: doubling(5_000), minMs: 2_500 },
} as const satisfies Record<string, Backoff>;

export type BackoffName = keyof typeof BACKOFFS;

/**
 * Milliseconds to wait before the next attempt.
 * `failures` counts the attempts so far (1 after the first); `random` returns a number in [0, 1).
 * A provider's Retry-After is never undercut: it gets 0–10 % on top so that not all come back at once.
 */
export function toRetryDelayMs(
  name: BackoffName,
  failures: number,
  retryAfterMs: number | undefined,
  random: () => number,
): number {
  const { stepsMs, minMs }: Backoff = BACKOFFS[name];
  const step = stepsMs[Math.min(Math.max(failures, 1), stepsMs.length) - 1] ?? CAP_MS;
  const jittered = Math.max(minMs, step / 2 + (step / 2) * random());
  if (retryAfterMs === undefined || retryAfterMs < jittered) return Math.round(jittered);
  return Math.round(retryAfterMs * (1 + random() / 10));
}
