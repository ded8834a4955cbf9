const FIRST_MS = 250;
const LONGEST_MS = 2_000;

/** Keeps a feed from running through thousands of pushes while there is no connection. */
export class Restraint {
  #failures = 0;
  #untilMs = Number.NEGATIVE_INFINITY;

  /** Before the next push is worth trying; 0: none. */
  toWaitMs(): number {
    return Math.max(0, this.#untilMs - performance.now());
  }

  /** What failed while we wait already failed by the same event. */
  noteFailure(): void {
    if (this.toWaitMs() > 0) return;
    this.#untilMs = performance.now() + Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
  }

  noteSuccess(): void {
    this.#failures = 0;
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }
}
