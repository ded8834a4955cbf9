/** A process that is at work for so much of its time sends no more over more connections, and everybody waits longer. */
const BUSY_SHARE = 0.9;

/** Whether work waits for streams for so long that another connection is worth it. */
export class Shortage {
  readonly #longMs: number;
  readonly #busyShare: number;
  #sinceMs: number | undefined;
  #loopThen = performance.eventLoopUtilization();

  /** A process that works for `busyShare` of its time is busy. */
  constructor(longMs: number, busyShare = BUSY_SHARE) {
    this.#longMs = longMs;
    this.#busyShare = busyShare;
  }

  /** Nothing waits. */
  end(): void {
    this.#sinceMs = undefined;
  }

  /** Something waits. Answers whether that was so all the time, while this process waited for answers. */
  isLong(nowMs: number): boolean {
    if (this.#sinceMs === undefined) {
      this.#sinceMs = nowMs;
      this.#loopThen = performance.eventLoopUtilization();
    }
    if (nowMs - this.#sinceMs < this.#longMs) return false;
    this.#sinceMs = undefined;
    return performance.eventLoopUtilization(this.#loopThen).utilization < this.#busyShare;
  }
}
