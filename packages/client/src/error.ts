/** A field that the server did not take. */
export interface Violation {
  readonly fieldName: string;
  /** Null where it could be a secret. */
  readonly invalidValue: unknown;
  readonly hint: string;
}

/** Why no answer of the server could be had. Codes of the server itself are its own, such as `ERROR_GENERIC` or `40105`. */
export type ClientErrorCode =
  /** The connection could not be made, or was lost. */
  | 'connection'
  /** No answer within the time of an attempt. */
  | 'timeout'
  /** The answer is not one of Heliograph: HTML of a proxy, JSON that is cut off, more bytes than are taken. */
  | 'answer'
  /** A redirect, which is never followed: the key is for one server. */
  | 'redirect';

/** One attempt that did not come to an answer of success. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly status?: number | undefined;
  readonly correlationId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly violations?: readonly Violation[];
  readonly cause?: unknown;
  /**
   * Whether it was done: `refused` and `not_done` say that it was not, and only the latter that it may go better the next time. `unclear`
   * may have been done; `broken` may have been, too, and would end in the same way again.
   */
  readonly kind: 'refused' | 'not_done' | 'unclear' | 'broken';
}

export interface FailedCall {
  /** Method and path. */
  readonly call: string;
  readonly attempts: number;
  readonly idempotencyKey: string | undefined;
  /** Of all attempts. */
  readonly mayBeDone: boolean;
  readonly mayRetry: boolean;
}

/** What every method rejects with, but for the reason of your own AbortSignal. */
export class HeliographError extends Error {
  override readonly name = 'HeliographError';
  /** The server's code, such as `ERROR_GENERIC`, or a `ClientErrorCode`. */
  readonly code: string;
  /** The HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  /** `X-Correlation-ID` of the answer, by which the server's log names the request. */
  readonly correlationId: string | undefined;
  /** How long the server asks to wait before the next request, ms. */
  readonly retryAfterMs: number | undefined;
  /** All wrong fields, of the endpoints that name them. */
  readonly violations: readonly Violation[];
  /** Method and path of the request. */
  readonly call: string;
  /** How many requests were made. */
  readonly attempts: number;
  /** Under which all of them were made. To go on where this call ended, call again with it and the same input, within 24 hours. */
  readonly idempotencyKey: string | undefined;
  /** Whether the server may have done it all the same. */
  readonly mayBeDone: boolean;
  /** Whether calling again may help, and does nothing twice if the `idempotencyKey`, where there is one, is given. */
  readonly mayRetry: boolean;

  constructor(failure: Failure, failed: FailedCall) {
    super(`${failed.call}: ${failure.message}`, { cause: failure.cause });
    this.code = failure.code;
    this.status = failure.status;
    this.correlationId = failure.correlationId;
    this.retryAfterMs = failure.retryAfterMs;
    this.violations = failure.violations ?? [];
    this.call = failed.call;
    this.attempts = failed.attempts;
    this.idempotencyKey = failed.idempotencyKey;
    this.mayBeDone = failed.mayBeDone;
    this.mayRetry = failed.mayRetry;
  }
}
