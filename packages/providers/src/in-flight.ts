/** Work under way: at most `limit` at once, the others wait their turn in the order they came. */
export class InFlight {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #idle: (() => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Running and waiting. */
  get size(): number {
    return this.#running + this.#waiting.length;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limit) this.#running += 1;
    else await new Promise<void>((start) => this.#waiting.push(start));
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Resolves when nothing runs and nothing waits. */
  async drained(): Promise<void> {
    if (this.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    // The place is handed on: whoever comes now must not overtake.
    if (next) return next();
    this.#running -= 1;
    if (this.#running > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
