/** The api refused to begin, tell or end a session, in its own words: those requests are no part of the client. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** What the api's log lines of this request carry. */
  readonly correlationId: string | undefined;
  /** When it may be tried again; 0 where the api does not say. */
  readonly retryAfterSeconds: number;

  constructor(
    status: number,
    code: string,
    message: string,
    correlationId: string | undefined,
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
