import type { Logger } from './log.ts';

const WHOLE_BOUND_MS = 25_000;
const HURRIED_BOUND_MS = 5_000;

type Release = () => unknown;

/** What we need of a process. */
export interface ShutdownHost {
  on(event: NodeJS.Signals | 'disconnect', listener: () => void): unknown;
  exit(code: number): unknown;
}

export interface ShutdownDeps {
  readonly log: Logger;
  /** Where signals come from and `exit` leads to; the process itself unless a test stands in. */
  readonly process?: ShutdownHost;
}

/**
 * Releases what was opened, in reverse order, when SIGTERM, SIGINT or the end of a parent that talks to us by
 * IPC asks for it: within 25 s, and within 5 s more once asked a second time. Then the process exits: with 0,
 * or with 1 when something was left.
 */
export class Shutdown {
  readonly #log: Logger;
  readonly #process: ShutdownHost;
  readonly #releases: { name: string; release: Release }[] = [];
  #deadline: NodeJS.Timeout | undefined;
  #releasing: string | undefined;

  constructor({ log, process: host = process }: ShutdownDeps) {
    this.#log = log;
    this.#process = host;
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      host.on(signal, () => void this.run(signal));
    host.on('disconnect', () => void this.run('disconnect'));
  }

  /** Adds something to release; a release may reject, which stops nothing. */
  add(name: string, release: Release): void {
    this.#releases.push({ name, release });
  }

  /** Starts the shutdown, or hurries the one that runs. */
  async run(reason: string): Promise<void> {
    const isRepeated = this.#deadline !== undefined;
    this.#log.info({ reason }, isRepeated ? 'shutdown hurried' : 'shutdown started');
    this.#setDeadline(isRepeated ? HURRIED_BOUND_MS : WHOLE_BOUND_MS);
    if (isRepeated) return;

    let failures = 0;
    for (let next = this.#releases.pop(); next !== undefined; next = this.#releases.pop()) {
      this.#releasing = next.name;
      failures += (await this.#tryRelease(next.name, next.release)) ? 0 : 1;
    }
    clearTimeout(this.#deadline);
    this.#log.info('shutdown complete');
    this.#process.exit(failures === 0 ? 0 : 1);
  }

  async #tryRelease(name: string, release: Release): Promise<boolean> {
    try {
      await release();
      return true;
    } catch (error) {
      this.#log.error({ err: error, resource: name }, 'release failed');
      return false;
    }
  }

  #setDeadline(boundMs: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      this.#log.error({ resource: this.#releasing, boundMs }, 'shutdown took too long');
      this.#process.exit(1);
    }, boundMs);
  }
}
