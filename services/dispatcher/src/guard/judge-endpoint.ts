import type { BackoffName, Outcome } from '@heliograph/core';

/** What came of an attempt, as far as it says something about the provider. */
export interface EndpointAnswer {
  readonly outcome: Outcome;
  /** HTTP status; undefined where nobody answered. */
  readonly status?: number | undefined;
}

/** Retries for these are the provider's trouble, or the way to it; the others ask one account or device to slow down. */
const TROUBLED: ReadonlySet<BackoffName> = new Set([
  'apns_trouble',
  'fcm_trouble',
  'proxy_trouble',
  'proxy_trouble_long',
  'connection',
]);
/** Ended by us: the process stops, or a bug of ours. */
const OUR_OWN: ReadonlySet<string> = new Set(['aborted', 'closing', 'internal_error']);

/**
 * Whether the attempt shows that the endpoint works, or is in trouble: 5xx, no connection, no answer. A push that was refused shows
 * that it works, but only where the provider said so: some are refused by ourselves.
 */
export function judgeEndpoint({
  outcome,
  status,
}: EndpointAnswer): 'works' | 'trouble' | 'nothing' {
  switch (outcome.kind) {
    case 'sent':
      return 'works';
    case 'retry':
      if (OUR_OWN.has(outcome.reason)) return 'nothing';
      if (TROUBLED.has(outcome.backoff)) return 'trouble';
      return status === undefined ? 'nothing' : 'works';
    case 'ambiguous':
      return OUR_OWN.has(outcome.reason) ? 'nothing' : 'trouble';
    case 'fail':
    case 'gone':
      return status === undefined ? 'nothing' : 'works';
    // A fault of the credential or of TLS stops the scope by itself.
    case 'pause':
    case 'requeue':
      return 'nothing';
  }
}
