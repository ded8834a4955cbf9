import { toRetryDelayMs, type BackoffName } from './backoff.ts';
import type { Ambiguous, Outcome, PauseScope, Requeue, Retry } from './outcome.ts';
import type { Provider } from './platform.ts';

/*
 * The life of a delivery:
 *
 *   pending ── sent        the provider accepted it
 *      │ ├──── failed      refused for good, given up, or ambiguous too often
 *      │ ├──── expired     its message's expiry came first
 *      │ └──── skipped     not to be sent at all: no longer wanted, or nowhere to send it
 *      └─ pending          retried later, or held by a pause
 *
 * Everything but pending is final. At all times targeted = sent + failed + expired + skipped + pending.
 */
export const DELIVERY_STATES = ['pending', 'sent', 'failed', 'expired', 'skipped'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Attempts that a delivery's history keeps; all are counted. */
export const MAX_REMEMBERED_ATTEMPTS = 100;

/** What the ledger knows of a delivery before the outcome of this attempt. */
export interface OwedDelivery {
  readonly provider: Provider;
  /** Attempts burned so far, without this one. */
  readonly attempts: number;
  /** Of those, the ones that were never answered. */
  readonly ambiguousAttempts: number;
  /** When it was first attempted; undefined while it never was. */
  readonly firstAttemptAt: Date | undefined;
  readonly expiresAt: Date;
}

/** What is written for the delivery after the attempt. */
export type Verdict =
  | { readonly state: 'sent'; readonly providerMessageId: string | undefined }
  | { readonly state: 'failed' | 'expired'; readonly reason: string }
  | { readonly state: 'pending'; readonly reason: string; readonly nextAttemptAt: Date }
  | { readonly state: 'paused'; readonly reason: string; readonly scope: PauseScope };

/** Retries that are not the provider's trouble end here; providers' own are bounded by the expiry alone. */
const MAX_COUNTED_RETRIES = 6;
/** A push that was never answered goes again this often, since each may be shown a second time. */
const MAX_AMBIGUOUS_RETRIES = 2;
/** Google: give up when FCM still fails after 60 minutes. */
const FCM_GIVE_UP_MS = 60 * 60_000;
/** How we wait for Google; a device of FCM may also be behind a customer's proxy, which has its own patience. */
const FCM_BACKOFFS: ReadonlySet<BackoffName> = new Set(['fcm_trouble', 'fcm_quota', 'ambiguous']);

/** What an attempt's outcome means for its delivery. Requeues are spent before this: see `afterRequeues`. */
export function judge(
  outcome: Exclude<Outcome, Requeue>,
  owed: OwedDelivery,
  now: Date,
  random: () => number,
): Verdict {
  switch (outcome.kind) {
    case 'sent':
      return { state: 'sent', providerMessageId: outcome.providerMessageId };
    case 'fail':
    case 'gone':
      return { state: 'failed', reason: outcome.reason };
    case 'pause':
      return { state: 'paused', reason: outcome.reason, scope: outcome.scope };
    case 'ambiguous': {
      if (isLastAmbiguous(outcome, owed)) return { state: 'failed', reason: 'ambiguous' };
      const { backoff = 'ambiguous', reason } = outcome;
      const delayMs = toRetryDelayMs(backoff, owed.ambiguousAttempts + 1, undefined, random);
      return retryAt(now, delayMs, { backoff, reason }, owed);
    }
    case 'retry': {
      if (isLastRetry(outcome, owed)) return { state: 'failed', reason: outcome.reason };
      const { backoff, retryAfterMs } = outcome;
      const delayMs = toRetryDelayMs(backoff, owed.attempts + 1, retryAfterMs, random);
      return retryAt(now, delayMs, outcome, owed);
    }
  }
}

/** The outcome that counts once a push was put back `requeues` times. */
export function afterRequeues(outcome: Outcome, requeues: number): Outcome {
  if (outcome.kind !== 'requeue') return outcome;
  return requeues >= outcome.limit ? outcome.otherwise : outcome;
}

/** Whether an attempt with this outcome counts. A pause burns none: the message is not to blame. */
export function burnsAttempt(outcome: Outcome): boolean {
  return outcome.kind !== 'pause' && outcome.kind !== 'requeue';
}

function isLastAmbiguous({ limit }: Ambiguous, owed: OwedDelivery): boolean {
  if (limit !== undefined) return owed.attempts + 1 >= limit;
  return owed.ambiguousAttempts >= MAX_AMBIGUOUS_RETRIES;
}

function isLastRetry({ bound, limit }: Retry, owed: OwedDelivery): boolean {
  if (bound === 'expiry') return false;
  return limit === undefined ? owed.attempts >= MAX_COUNTED_RETRIES : owed.attempts + 1 >= limit;
}

function retryAt(
  now: Date,
  delayMs: number,
  { backoff, reason }: Pick<Retry, 'backoff' | 'reason'>,
  owed: OwedDelivery,
): Verdict {
  const nextAttemptAt = new Date(now.getTime() + delayMs);
  // A retry that would come too late is not worth waiting for: the answer is known now. A hostile Retry-After makes no date at all.
  if (!(nextAttemptAt < owed.expiresAt)) return { state: 'expired', reason };
  const firstAttemptAt = owed.firstAttemptAt ?? now;
  if (
    owed.provider === 'fcm' &&
    FCM_BACKOFFS.has(backoff) &&
    nextAttemptAt.getTime() >= firstAttemptAt.getTime() + FCM_GIVE_UP_MS
  )
    return { state: 'failed', reason };
  return { state: 'pending', reason, nextAttemptAt };
}
