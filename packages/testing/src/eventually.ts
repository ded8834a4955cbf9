import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

export interface EventuallyOptions {
  readonly timeoutMs?: number;
}

/**
 * Repeats a look at something (a row, an answer) until it no longer throws, and resolves with what it saw.
 * Rejects with the last error when the time (20 s) is over.
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  { timeoutMs = 20_000 }: EventuallyOptions = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() >= deadline) throw error;
    }
    await sleep(POLL_MS);
  }
}
