import { setTimeout as sleep } from 'node:timers/promises';

/** Reads a value over and over. */
export interface Sampler {
  /** Reads no more; answers what was read, the oldest first. Rejects if a reading failed. */
  stop(): Promise<readonly number[]>;
}

export function startSampler(everyMs: number, read: () => number | Promise<number>): Sampler {
  const values: number[] = [];
  let stopped = false;

  async function run(): Promise<readonly number[]> {
    while (!stopped) {
      values.push(await read());
      await sleep(everyMs);
    }
    return values;
  }

  const done = run();
  // Who does not come for the values has failed already.
  done.catch(() => undefined);
  return {
    stop() {
      stopped = true;
      return done;
    },
  };
}
