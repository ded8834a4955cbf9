/** Every way in which we say no to a caller, with the HTTP status that all surfaces share. */
export const REFUSALS = {
  invalid_request: 400,
  unknown_app: 400,
  unknown_message: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  too_many_headers: 431,
  upstream_failed: 400,
  internal: 500,
  not_checked: 503,
  unavailable: 503,
  overloaded: 503,
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** Our own "no" to a caller; its message is shown to them, so it holds no secrets. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly status: number;
  /** Which fields are wrong, where that is known. */
  readonly violations: readonly Violation[];
  /** When to try again, where that is known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: RefusalCode,
    message: string,
    options: {
      cause?: unknown;
      violations?: readonly Violation[];
      retryAfterSeconds?: number;
    } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.code = code;
    this.status = REFUSALS[code];
    this.violations = options.violations ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export interface Violation {
  /** The path inside the request body, such as `requestObject.appId`. */
  readonly fieldName: string;
  readonly hint: string;
}
