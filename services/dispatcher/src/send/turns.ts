/** So long a push waits for a place before it makes room: behind it waits the work of other apps. */
const PATIENCE_MS = 10_000;

interface Waiter {
  readonly start: () => void;
  left: boolean;
}

/**
 * Places at one provider, handed out in the order they are asked for. Where a provider is slower than what is owed to it, the rest is
 * sent away as `busy` and comes again later: one app's silent provider must not hold every job of this process, and what waited
 * long was decided on old facts about its device.
 */
export class Turns {
  readonly #limit: number;
  readonly #patienceMs: number;
  readonly #waiting: Waiter[] = [];
  #running = 0;
  #cloggedUntil = Number.NEGATIVE_INFINITY;

  constructor(limit: number, patienceMs = PATIENCE_MS) {
    this.#limit = limit;
    this.#patienceMs = patienceMs;
  }

  async run<T>(work: () => Promise<T>): Promise<T | 'busy'> {
    if (this.#running < this.#limit) this.#running += 1;
    else if (!(await this.#wait())) return 'busy';
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Answers whether there was a place in time. */
  #wait(): Promise<boolean> {
    // Somebody waited in vain a moment ago: what comes now keeps the places filled, and no more than that.
    if (performance.now() < this.#cloggedUntil && this.#waiting.length >= this.#limit)
      return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        left: false,
        start() {
          clearTimeout(timer);
          resolve(true);
        },
      };
      const timer = setTimeout(() => {
        waiter.left = true;
        this.#cloggedUntil = performance.now() + this.#patienceMs;
        this.#forgetWhoLeft();
        resolve(false);
      }, this.#patienceMs);
      this.#waiting.push(waiter);
    });
  }

  #leave(): void {
    this.#forgetWhoLeft();
    const next = this.#waiting.shift();
    // The place is handed on: whoever comes now must not overtake.
    if (next === undefined) this.#running -= 1;
    else next.start();
  }

  /** All have the same patience, so who left stands in front. */
  #forgetWhoLeft(): void {
    while (this.#waiting[0]?.left === true) this.#waiting.shift();
  }
}
