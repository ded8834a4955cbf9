import { setMaxListeners } from 'node:events';

export type Lateness = 'timeout' | 'aborted';

export interface Deadline<T> {
  readonly ms: number;
  /** The caller's; it ends the wait early. */
  readonly signal: AbortSignal;
  /** The answer where the work was too late; its own is dropped then. */
  readonly late: (lateness: Lateness) => T;
}

/** Runs the work under a signal that aborts after `ms` or with the caller, and never waits longer than that for it. */
export function withDeadline<T>(
  { ms, signal, late }: Deadline<T>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal.aborted) return Promise.resolve(late('aborted'));

  return new Promise((resolve, reject) => {
    // Not AbortSignal.any: on Node 20 it leaks under a signal that lives as long as the process.
    const controller = new AbortController();
    const expire = (lateness: Lateness) => {
      release();
      resolve(late(lateness));
      controller.abort();
    };
    const onAbort = () => expire('aborted');
    const timer = setTimeout(expire, ms, 'timeout');
    // Every send under way listens to the caller's one signal; node takes more than ten for a leak, and warns.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', onAbort, { once: true });
    const release = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    void work(controller.signal).finally(release).then(resolve, reject);
  });
}
