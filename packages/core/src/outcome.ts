import type { BackoffName } from './backoff.ts';

/**
 * What one attempt to hand a push to a provider came to. The providers' tables map every answer to one of these seven;
 * the ledger decides from it alone what happens to the delivery.
 */
export type Outcome = Sent | Requeue | Retry | Fail | Gone | Pause | Ambiguous;

/** The provider accepted it; that never means "displayed". */
export interface Sent {
  readonly kind: 'sent';
  readonly providerMessageId?: string;
}

/** Provably not processed: goes again at once, burns no attempt. After `limit` times, `otherwise` counts instead. */
export interface Requeue {
  readonly kind: 'requeue';
  readonly reason: string;
  readonly remedy: 'other_connection' | 'new_connection' | 'new_token';
  readonly limit: number;
  readonly otherwise: Exclude<Outcome, Requeue>;
}

/** Goes again later. Bounded by the message's expiry, and by a count too where the trouble is not the provider's. */
export interface Retry {
  readonly kind: 'retry';
  readonly reason: string;
  readonly backoff: BackoffName;
  readonly bound: 'expiry' | 'count';
  /** With the bound `count`: so many attempts in all, where whoever we send to documents a number. */
  readonly limit?: number;
  /** The provider's own wish; a lower bound of the delay. */
  readonly retryAfterMs?: number;
  /** The quota of the whole account is used up: whatever is sent to it has to slow down. */
  readonly throttles?: 'project';
}

/** Permanent for this message; the device stays. */
export interface Fail {
  readonly kind: 'fail';
  readonly reason: string;
  /** Our validation let something through, or an answer is new to us: someone should look. */
  readonly alarm?: true;
  /** That many of these in a row without a success pause the app. */
  readonly pauseAfter?: number;
  /** The device takes no pushes, which is no proof that its token is dead: when it says so again and again, it is left alone. */
  readonly refusedBy?: 'device';
}

/** Permanent, and the push token is noted as faulty; the guard decides whether the device is deactivated. */
export interface Gone {
  readonly kind: 'gone';
  readonly reason: string;
  /** `wrong_place`: a configuration fault of ours gives the same answer for every token. */
  readonly fault: 'dead' | 'wrong_place';
  /** When the provider last knew the token as invalid; a later registration survives. */
  readonly invalidSince?: Date;
}

/** The credential or its configuration is at fault: its scope stops, the message waits with no attempt burned. */
export interface Pause {
  readonly kind: 'pause';
  readonly reason: string;
  readonly scope: PauseScope;
}

/** `third_party` holds only the deliveries that got this answer; the others stop everything of the credential. */
export type PauseScope = 'credential' | 'app' | 'endpoint' | 'third_party';

/** Written, but never answered: it may have been delivered. Goes again with the same ids, twice at most where nothing else is said. */
export interface Ambiguous {
  readonly kind: 'ambiguous';
  readonly reason: string;
  /** By default `ambiguous`. */
  readonly backoff?: BackoffName;
  /** So many attempts in all, whatever came of the others: whoever we send to knows a repeat by its id. */
  readonly limit?: number;
}
