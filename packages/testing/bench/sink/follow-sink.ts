import { setTimeout as sleep } from 'node:timers/promises';

import type { Sink } from './sink.ts';

const POLL_MS = 10;

/** What arrived at the sink since it is followed, to within a look every 10 ms. */
export interface Arrivals {
  readonly count: number;
  /** ms since the epoch; NaN where nothing arrived. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

export interface SinkFollower {
  /** Looks once more, and then no more. */
  stop(): Promise<Arrivals>;
}

/** nginx says how many requests there were, not when: so it is asked over and over. */
export async function followSink(sink: Pick<Sink, 'count'>): Promise<SinkFollower> {
  const { requests: before } = await sink.count();
  let arrivals: Arrivals = { count: 0, firstAtMs: Number.NaN, lastAtMs: Number.NaN };
  let stopped = false;

  async function look(): Promise<void> {
    const count = (await sink.count()).requests - before;
    const now = Date.now();
    if (count === arrivals.count) return;
    const firstAtMs = arrivals.count === 0 ? now : arrivals.firstAtMs;
    arrivals = { count, firstAtMs, lastAtMs: now };
  }
  async function run(): Promise<void> {
    while (!stopped) {
      await look();
      await sleep(POLL_MS);
    }
    await look();
  }

  const done = run();
  // Who does not come for the arrivals has failed already.
  done.catch(() => undefined);
  return {
    async stop() {
      stopped = true;
      await done;
      return arrivals;
    },
  };
}
