import type { Logger } from 'pino';

export interface ClockWatchDeps {
  /** The clock of a machine that the fleet shares, ms since the epoch. */
  readonly readTimeMs: () => Promise<number>;
  readonly nowMs: () => number;
  readonly log: Pick<Logger, 'error'>;
  /** Tests only: default an hour, and five seconds where the other clock could not be read. */
  readonly everyMs?: number;
  readonly againMs?: number;
}

export interface ClockWatch {
  close(): void;
}

const HOUR_MS = 3_600_000;
const AGAIN_MS = 5_000;
/** Providers refuse tokens that are signed by a wrong clock; expiries would come at wrong times. */
const MAX_SKEW_MS = 60_000;

/** Compares the clock with another machine's, at once and then hourly. Which of the two is wrong it can't know. */
export function startClockWatch(deps: ClockWatchDeps): ClockWatch {
  const { readTimeMs, nowMs, log, everyMs = HOUR_MS, againMs = AGAIN_MS } = deps;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function look(): Promise<void> {
    const nextMs = await compare();
    if (!closed) timer = setTimeout(() => void look(), nextMs).unref();
  }

  async function compare(): Promise<number> {
    const askedAtMs = nowMs();
    try {
      const theirsMs = await readTimeMs();
      // Somewhere between asking and hearing.
      const skewMs = (askedAtMs + nowMs()) / 2 - theirsMs;
      if (Math.abs(skewMs) > MAX_SKEW_MS)
        log.error({ skewSeconds: Math.round(skewMs / 1000) }, 'clock differs from that of redis');
      return everyMs;
    } catch {
      // Not connected yet, or any more: the connection says so itself.
      return againMs;
    }
  }

  void look();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
