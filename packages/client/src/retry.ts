import { HeliographError, type Failure } from './error.ts';
import type { Timing } from './timing.ts';

/** What making a request again does: the same as the first, the same because of its key, or the thing again. */
export type Repeat = 'safe' | 'keyed' | 'once';

export interface RetryLimits {
  /** Requests per call; 5 unless given. 1 repeats nothing. */
  readonly maxAttempts?: number | undefined;
  /** For one request and its whole answer, ms; 15,000 unless given. A SYNCHRONOUS message is answered within 5 s. */
  readonly attemptTimeoutMs?: number | undefined;
  /** For all requests of a call and the pauses between, ms; 60,000 unless given. */
  readonly deadlineMs?: number | undefined;
}

/** A request that will be made again. */
export interface RetryNotice {
  /** Method and path. */
  readonly call: string;
  /** How many requests were made so far. */
  readonly attempts: number;
  readonly waitMs: number;
  readonly code: string;
  readonly status: number | undefined;
  readonly idempotencyKey: string | undefined;
}

export type Attempt<T> =
  | { readonly isAnswered: true; readonly answer: T }
  | { readonly isAnswered: false; readonly failure: Failure };

export interface RetriedCall extends RetryLimits {
  readonly call: string;
  readonly repeat: Repeat;
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
  readonly timing: Timing;
}

export interface AttemptContext {
  /** How long it may take, ms. */
  readonly timeoutMs: number;
  /** Whether one before it may have been carried out. */
  readonly mayBeDone: boolean;
}

const MAX_ATTEMPTS = 5;
const ATTEMPT_TIMEOUT_MS = 15_000;
const DEADLINE_MS = 60_000;
const BASE_MS = 250;
const CAP_MS = 10_000;

/**
 * Makes attempts until one is answered, may not be repeated, or there is no more time. What may have been done is repeated only where
 * that does nothing twice; what was certainly not done always.
 */
export async function withRetries<T>(
  call: RetriedCall,
  attempt: (context: AttemptContext) => Promise<Attempt<T>>,
): Promise<T> {
  const { timing, maxAttempts = MAX_ATTEMPTS, attemptTimeoutMs = ATTEMPT_TIMEOUT_MS } = call;
  const endsAt = timing.now() + (call.deadlineMs ?? DEADLINE_MS);
  let mayBeDone = false;

  for (let attempts = 1; ; attempts += 1) {
    const timeoutMs = Math.max(1, Math.min(attemptTimeoutMs, endsAt - timing.now()));
    const result = await attempt({ timeoutMs, mayBeDone });
    if (result.isAnswered) return result.answer;

    const { failure } = result;
    mayBeDone ||= failure.kind === 'unclear' || failure.kind === 'broken';
    const mayRetry = mayRepeat(failure, call.repeat);
    const waitMs = toWaitMs(failure, attempts, timing);
    if (!mayRetry || attempts >= maxAttempts || timing.now() + waitMs >= endsAt) {
      const { idempotencyKey } = call;
      throw new HeliographError(failure, {
        call: call.call,
        attempts,
        idempotencyKey,
        mayBeDone,
        mayRetry,
      });
    }
    const { code, status } = failure;
    call.onRetry?.({
      call: call.call,
      attempts,
      waitMs,
      code,
      status,
      idempotencyKey: call.idempotencyKey,
    });
    await timing.sleep(waitMs, call.signal);
  }
}

/** Whether it may go better, and does nothing twice. */
export function mayRepeat({ kind }: Failure, repeat: Repeat): boolean {
  switch (kind) {
    case 'not_done':
      return true;
    case 'unclear':
      return repeat !== 'once';
    case 'refused':
    case 'broken':
      return false;
  }
}

/** Anywhere up to a bound that doubles, so that those who failed together don't come back together; after what the server asks for. */
export function toWaitMs(
  { retryAfterMs = 0 }: Failure,
  attempts: number,
  { random }: Pick<Timing, 'random'>,
  capMs = CAP_MS,
): number {
  return retryAfterMs + random() * Math.min(capMs, BASE_MS * 2 ** attempts);
}
