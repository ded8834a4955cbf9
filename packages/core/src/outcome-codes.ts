import type { DeliveryState } from './ledger.ts';

/*
 * What the chunk ledger of a campaign keeps per device: one byte. The codes are for ever: ledgers hold them. A failure that has no
 * code of its own is `other`; the provider's words for it stand in its exception.
 */
export interface OutcomeCode {
  readonly code: number;
  readonly state: DeliveryState;
  /** Null where the state says all. */
  readonly reason: string | null;
}

/** Not tried yet. */
export const OWED = 0;
export const SENT = 1;
/** Tried, and owed still: the exception says why, and when it is tried next. */
export const DEFERRED = 2;

export const OUTCOME_CODES: readonly OutcomeCode[] = [
  { code: OWED, state: 'pending', reason: null },
  { code: SENT, state: 'sent', reason: null },
  { code: DEFERRED, state: 'pending', reason: 'deferred' },

  { code: 10, state: 'expired', reason: 'expired' },

  { code: 20, state: 'skipped', reason: 'cancelled' },
  { code: 21, state: 'skipped', reason: 'device_removed' },
  { code: 22, state: 'skipped', reason: 'device_reassigned' },
  { code: 23, state: 'skipped', reason: 'token_deactivated' },
  { code: 24, state: 'skipped', reason: 'token_in_audience' },
  { code: 25, state: 'skipped', reason: 'environment' },

  { code: 40, state: 'failed', reason: 'other' },
  { code: 41, state: 'failed', reason: 'ambiguous' },
  { code: 50, state: 'failed', reason: 'BadDeviceToken' },
  { code: 51, state: 'failed', reason: 'DeviceTokenNotForTopic' },
  { code: 52, state: 'failed', reason: 'Unregistered' },
  { code: 53, state: 'failed', reason: 'ExpiredToken' },
  { code: 54, state: 'failed', reason: 'PayloadTooLarge' },
  { code: 55, state: 'failed', reason: 'Forbidden' },
  { code: 60, state: 'failed', reason: 'http_403' },
  { code: 61, state: 'failed', reason: 'http_404' },
  { code: 62, state: 'failed', reason: 'http_410' },
  { code: 63, state: 'failed', reason: 'http_400' },
  { code: 64, state: 'failed', reason: 'http_413' },
  { code: 65, state: 'failed', reason: 'http_422' },
  { code: 66, state: 'failed', reason: 'http_redirect' },
  { code: 67, state: 'failed', reason: 'http_500' },
  { code: 68, state: 'failed', reason: 'http_502' },
  { code: 69, state: 'failed', reason: 'http_503' },
  { code: 70, state: 'failed', reason: 'UNREGISTERED' },
  { code: 71, state: 'failed', reason: 'SENDER_ID_MISMATCH' },
  { code: 72, state: 'failed', reason: 'INVALID_ARGUMENT' },
  { code: 73, state: 'failed', reason: 'QUOTA_EXCEEDED' },
  { code: 74, state: 'failed', reason: 'UNAVAILABLE' },
  { code: 75, state: 'failed', reason: 'INTERNAL' },
];

const BY_CODE = new Map(OUTCOME_CODES.map((entry) => [entry.code, entry]));
const BY_REASON = new Map(
  OUTCOME_CODES.map((entry) => [`${entry.state} ${entry.reason}`, entry.code]),
);
const OTHER = 40;
const EXPIRED = 10;

/** The byte of a final outcome. Of what expired the reason stays in the exception, of what failed too where it has no code. */
export function toOutcomeCode(
  state: Exclude<DeliveryState, 'pending'>,
  reason: string | null,
): number {
  if (state === 'sent') return SENT;
  if (state === 'expired') return EXPIRED;
  const code = BY_REASON.get(`${state} ${reason}`);
  if (code !== undefined) return code;
  if (state === 'failed') return OTHER;
  throw new RangeError(`nothing is skipped for the reason ${reason}`);
}

/** What a byte of the ledger says. */
export function toOutcome(code: number): OutcomeCode {
  const entry = BY_CODE.get(code);
  if (entry === undefined) throw new RangeError(`there is no outcome ${code}`);
  return entry;
}

/** Whether nothing more is owed. */
export function isFinalCode(code: number): boolean {
  return code !== OWED && code !== DEFERRED;
}
