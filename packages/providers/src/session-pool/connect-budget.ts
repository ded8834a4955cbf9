/** How often connections may be opened: Apple takes opening and closing in quick succession for an attack. */
export interface ConnectLimits {
  /** So many at once after a calm time. */
  readonly burst: number;
  readonly perSecond: number;
  /** After a connection that failed or was of no use, ms; doubled with each further one, up to `maxBackoffMs`. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

export const CONNECT_LIMITS: ConnectLimits = {
  burst: 10,
  perSecond: 1,
  backoffMs: 1_000,
  maxBackoffMs: 60_000,
};

/** Decides when the next connection may be opened. Times are in ms of one monotonic clock. */
export class ConnectBudget {
  readonly #limits: ConnectLimits;
  readonly #random: () => number;
  #permits: number;
  #countedAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(limits: ConnectLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
    this.#permits = limits.burst;
  }

  /** The last connection failed, and the next one is not to be tried yet. */
  isBackingOff(nowMs: number): boolean {
    return nowMs < this.#notBeforeMs;
  }

  /** Answers 0 and counts a connection, or how long to wait before asking again, ms. */
  take(nowMs: number): number {
    if (this.isBackingOff(nowMs)) return this.#notBeforeMs - nowMs;
    const { burst, perSecond } = this.#limits;
    const passedMs = Math.max(0, nowMs - this.#countedAtMs);
    this.#permits = Math.min(burst, this.#permits + (passedMs / 1000) * perSecond);
    this.#countedAtMs = nowMs;
    if (this.#permits < 1) return Math.ceil(((1 - this.#permits) / perSecond) * 1000);
    this.#permits -= 1;
    return 0;
  }

  /** It ended without a single answer. The first time that may be chance, and another one is tried at once. */
  noteUseless(nowMs: number): void {
    if (this.#failures > 0) return this.noteFailure(nowMs);
    this.#failures = 1;
  }

  /** It could not be opened, or is not wanted. */
  noteFailure(nowMs: number): void {
    const { backoffMs, maxBackoffMs } = this.#limits;
    const delayMs = Math.min(maxBackoffMs, backoffMs * 2 ** this.#failures);
    this.#failures += 1;
    // Whatever failed for all dispatchers at once is not tried again by all at once.
    this.#notBeforeMs = nowMs + delayMs * (0.5 + this.#random() / 2);
  }

  noteSuccess(): void {
    this.#failures = 0;
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
  }
}
