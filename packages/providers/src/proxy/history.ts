/** So many connections in a row that came to nothing look like a client certificate that is refused. */
const FAILURES_TO_PAUSE = 5;
/** A name that nobody knows for so long is a wrong one. */
const NOT_FOUND_MS = 5 * 60_000;

/** What was seen of a proxy since its credential was last changed, by this process. */
export class ProxyHistory {
  readonly #nowMs: () => number;
  #hasSucceeded = false;
  #failures = 0;
  #notFoundSinceMs: number | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** It has taken a push. */
  get hasSucceeded(): boolean {
    return this.#hasSucceeded;
  }

  /** Before a request: to be given back with its end. What began before the last failure failed by the same event. */
  begin(): number {
    return this.#failures;
  }

  /** There was an answer, good or bad: so there was a connection. */
  noteAnswer(isSuccess: boolean): void {
    this.#hasSucceeded ||= isSuccess;
    this.#failures = 0;
    this.#notFoundSinceMs = undefined;
  }

  /** No connection, or none that lasted. Answers whether that can't be the network's whim any more. */
  noteFailure(begun: number): boolean {
    this.#notFoundSinceMs = undefined;
    if (begun === this.#failures) this.#failures += 1;
    return !this.#hasSucceeded && this.#failures >= FAILURES_TO_PAUSE;
  }

  /** Its name leads nowhere. Answers whether that has been so for too long. */
  noteNotFound(): boolean {
    const nowMs = this.#nowMs();
    this.#notFoundSinceMs ??= nowMs;
    return nowMs - this.#notFoundSinceMs >= NOT_FOUND_MS;
  }
}
