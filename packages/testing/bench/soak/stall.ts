import { setTimeout as sleep } from 'node:timers/promises';

export interface Stall {
  /** How much was done so far. */
  readonly progress: () => number;
  /** How long that may stay the same. */
  readonly patienceMs: number;
  readonly toMessage: () => string;
}

const LOOKS = 20;

/** Waits for the work as long as it goes on; rejects where it does not, which is what work that lost something looks like. */
export async function orStall<T>(work: Promise<T>, stall: Stall): Promise<T> {
  const over = new AbortController();
  try {
    return await Promise.race([work, watch(stall, over.signal)]);
  } finally {
    over.abort();
  }
}

async function watch(
  { progress, patienceMs, toMessage }: Stall,
  signal: AbortSignal,
): Promise<never> {
  let before = progress();
  for (let looks = 0; looks < LOOKS; looks += 1) {
    // Rejects when the race is over, and nobody listens any more.
    await sleep(patienceMs / LOOKS, undefined, { signal });
    const now = progress();
    if (now !== before) looks = -1;
    before = now;
  }
  throw new Error(toMessage());
}
