/** Clock and chance; others than the machine's are for tests. */
export interface Timing {
  /** Ms, on a clock that only goes forward. */
  readonly now: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Resolves after so many ms; rejects with the signal's reason as soon as that is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export const SYSTEM_TIMING: Timing = {
  now: () => performance.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
    }),
};

/** A signal that is aborted with another one, or after a time. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether it was the time. */
  readonly isOver: () => boolean;
  /** Begins the time anew. */
  restart(): void;
  /** Stops the time, and listens no more. `restart` begins it again. */
  stop(): void;
}

/** Not `AbortSignal.any`: that keeps what it made for as long as a long-lived signal lives. */
export function startDeadline(ms: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const abort = () => controller.abort(outer?.reason);
  const stop = () => {
    clearTimeout(timer);
    outer?.removeEventListener('abort', abort);
  };
  const restart = () => {
    stop();
    if (outer?.aborted) return abort();
    outer?.addEventListener('abort', abort, { once: true });
    timer = setTimeout(() => {
      isOver = true;
      controller.abort(new DOMException('No answer in time.', 'TimeoutError'));
    }, ms);
  };
  restart();
  return { signal: controller.signal, isOver: () => isOver, restart, stop };
}
