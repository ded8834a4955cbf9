import { AddressRefused } from '@heliograph/outbound';
import type { Outcome, Pause, Requeue, Retry } from '@heliograph/core';

import { toRequeue } from '../requeue.ts';
import { toConnectOutcome } from '../transport-faults.ts';
import { toLost, type ProxyPolicy } from './answers.ts';
import type { ProxyEnd } from './exchange.ts';
import type { ProxyHistory } from './history.ts';

/** How often a push that was provably not sent goes again at once, before it waits like any other. */
const MAX_REQUEUES = 5;

/** undici's words for what the system has its own for. */
const CODES = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'],
  ['UND_ERR_SOCKET', 'connection_closed'],
]);

export interface Unanswered {
  readonly end: Exclude<ProxyEnd, { kind: 'answered' }>;
  /** What `history.begin` gave before the request. */
  readonly begun: number;
  readonly policy: ProxyPolicy;
  readonly history: ProxyHistory;
}

/** What a request without an answer means; notes it in the history. */
export function toUnansweredOutcome({ end, begun, policy, history }: Unanswered): Outcome {
  const { cause } = end;
  const toOutcome = (reason: string) =>
    end.kind === 'lost' ? toLost(reason, policy) : toUnsent(reason);
  // Slow, but there: it says nothing against the credential.
  if (typeof cause === 'string') return toOutcome(cause);
  if (cause instanceof AddressRefused) return toPause('address_refused');

  // A server of TLS 1.3 refuses our certificate only when the request is on its way: the push was not looked at all the same.
  const fault = toConnectOutcome(cause, 'connection');
  if (fault.kind !== 'retry') return fault;
  const isHopeless =
    fault.reason === 'ENOTFOUND' ? history.noteNotFound() : history.noteFailure(begun);
  const reason = CODES.get(fault.reason) ?? fault.reason;
  return isHopeless ? toPause(reason) : toOutcome(reason);
}

/** Not a byte was written: it may go again soon, and nobody can be shown it twice. */
export function toUnsent(reason: string): Retry {
  return { kind: 'retry', reason, backoff: 'connection', bound: 'expiry' };
}

/** As `toUnsent`, by no fault of the proxy's: it goes again at once, elsewhere. */
export function toUnprocessed(reason: string): Requeue {
  return toRequeue(reason, 'other_connection', MAX_REQUEUES, toUnsent(reason));
}

function toPause(reason: string): Pause {
  return { kind: 'pause', reason, scope: 'endpoint' };
}
