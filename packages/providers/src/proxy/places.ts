interface Waiting {
  readonly start: () => void;
}

/** Work under way: at most so much at once. Single pushes go before all that is fed, feeds in turns. */
export class Places {
  #free: number;
  readonly #singles: Waiting[] = [];
  readonly #feeds: Waiting[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** For a single push: answers false where no place was free in time. */
  take(waitMs: number): Promise<boolean> {
    if (this.#takeFree()) return TAKEN;
    return new Promise((resolve) => {
      const waiting = {
        start: () => {
          clearTimeout(timer);
          resolve(true);
        },
      };
      const timer = setTimeout(() => {
        this.#singles.splice(this.#singles.indexOf(waiting), 1);
        resolve(false);
      }, waitMs);
      this.#singles.push(waiting);
    });
  }

  async takeForFeed(): Promise<void> {
    if (this.#takeFree()) return;
    await new Promise<void>((resolve) => this.#feeds.push({ start: resolve }));
  }

  leave(): void {
    // The place is handed on: whoever comes now must not overtake.
    const next = this.#singles.shift() ?? this.#feeds.shift();
    if (next) next.start();
    else this.#free += 1;
  }

  #takeFree(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }
}

const TAKEN = Promise.resolve(true);
