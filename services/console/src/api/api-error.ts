/** The api refused, in its own words. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** What the api's log lines of this request carry. */
  readonly correlationId: string | null;
  /** When it may be tried again; 0 where the api does not say. */
  readonly retryAfterSeconds: number;

  constructor(
    status: number,
    code: string,
    message: string,
    correlationId: string | null,
    retryAfterSeconds = 0,
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.correlationId = correlationId;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
