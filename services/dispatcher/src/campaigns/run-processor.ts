import { claimChunk, readRunStandings, type Db } from '@heliograph/db';
import type { CampaignLane, RateLimit } from '@heliograph/queue';

import type { ChunkLeases } from './chunk-leases.ts';
import { isSending, type RunWatch } from './run-watch.ts';
import type { SendChunk } from './send-chunk.ts';

export interface RunProcessorDeps {
  readonly db: Db;
  readonly lane: CampaignLane;
  readonly rateLimit: RateLimit;
  readonly leases: ChunkLeases;
  readonly watch: RunWatch;
  readonly sendChunk: SendChunk;
  /** Something is to be done that is not sending: a run to be started, or ended. */
  readonly onIdle: () => void;
  readonly clockMs: () => number;
  readonly leaseMs: number;
  readonly stopping: AbortSignal;
}

/** A bucket of permits is asked no more often than that, and no more seldom: its rate may have been raised. */
const MIN_PERMIT_WAIT_MS = 100;
const MAX_PERMIT_WAIT_MS = 1_000;
const MAX_PERMITS = 1000;
/** So many chunks of a run are sent at once by a process. */
const CHUNKS_OF_A_RUN = 4;
/** So many chunks may wait for their providers while others are sent in their place. */
const MAX_WAITING_CHUNKS = 64;

export interface RunProcessor {
  /** Works on a run for one chunk. Resolves when the chunk is done, or waits for its provider: others may be worked on. */
  process(runId: string): Promise<void>;
  /** Resolves when no chunk is in hand. */
  drained(): Promise<void>;
}

/** Among those who work at once; it may be left before the work is done. */
interface Place {
  leave?: () => void;
}

/**
 * The job says only which run has work; the chunk is claimed from the table. A job that found a chunk puts another one at the end of the
 * lane, so that every run has about as many jobs there, and all take turns.
 */
export function createRunProcessor(deps: RunProcessorDeps): RunProcessor {
  const chunksInHand = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  let waitingChunks = 0;

  async function processRun(runId: string): Promise<void> {
    const inHand = chunksInHand.get(runId) ?? 0;
    // The chunks in hand announce the run again when they are done.
    if (deps.stopping.aborted || inHand >= CHUNKS_OF_A_RUN) return;
    chunksInHand.set(runId, inHand + 1);
    const place: Place = {};
    const placeLeft = new Promise<void>((resolve) => {
      place.leave = resolve;
    });
    const work = sendNextChunk(runId, place).finally(() => {
      underWay.delete(work);
      const left = (chunksInHand.get(runId) ?? 1) - 1;
      if (left === 0) chunksInHand.delete(runId);
      else chunksInHand.set(runId, left);
    });
    underWay.add(work);
    await Promise.race([work, placeLeft]);
  }

  async function sendNextChunk(runId: string, place: Place): Promise<void> {
    const readAtMs = deps.clockMs();
    const [standing] = await readRunStandings(deps.db, [runId]);
    if (standing === undefined || !isSending(standing.state)) return deps.onIdle();

    const { ratePerSecond } = standing;
    const permits = ratePerSecond === null ? FREE : await takePermits(runId, ratePerSecond);
    if (permits.granted === 0) return announceAgain(runId, permits.waitMs);

    deps.watch.enter(standing, readAtMs);
    let unused = permits.granted;
    try {
      const askedAtMs = deps.clockMs();
      const chunk = await claimChunk(deps.db, runId, deps.leaseMs);
      if (chunk === undefined) return deps.onIdle();
      deps.leases.hold(chunk, askedAtMs);
      // Others may take the next one meanwhile.
      if (ratePerSecond === null && !isAtMost(runId)) announceAgain(runId);
      const sending = deps.sendChunk(chunk, permits.granted);
      unused -= await untilDone(sending, place);
    } finally {
      deps.watch.leave(runId);
      if (ratePerSecond !== null) void deps.rateLimit.giveBack(runId, ratePerSecond, unused);
    }
    if (ratePerSecond !== null) announceAgain(runId, permits.waitMs);
    else if (isAtMost(runId)) announceAgain(runId);
    // It may have been the last one. In the middle of a run there is always another.
    if (chunksInHand.get(runId) === 1) deps.onIdle();
  }

  /** Tells when the chunk's place may be taken by another. */
  async function untilDone(
    { done, waitingOrDone }: ReturnType<SendChunk>,
    place: Place,
  ): Promise<number> {
    let isWaiting = false;
    void waitingOrDone.then(() => {
      if (waitingChunks >= MAX_WAITING_CHUNKS) return;
      isWaiting = true;
      waitingChunks += 1;
      place.leave?.();
    });
    const sends = await done;
    if (isWaiting) waitingChunks -= 1;
    return sends;
  }

  /** No more chunks of the run are taken by this process. */
  function isAtMost(runId: string): boolean {
    return (chunksInHand.get(runId) ?? 0) >= CHUNKS_OF_A_RUN;
  }

  async function takePermits(runId: string, perSecond: number) {
    const permits = await deps.rateLimit.take(runId, perSecond, MAX_PERMITS);
    const waitMs = Math.min(Math.max(permits.waitMs, MIN_PERMIT_WAIT_MS), MAX_PERMIT_WAIT_MS);
    return { ...permits, waitMs };
  }

  function announceAgain(runId: string, waitMs?: number): void {
    if (!deps.stopping.aborted) void deps.lane.announce(runId, waitMs);
  }

  return {
    process: processRun,
    async drained() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}

const FREE = { granted: Number.POSITIVE_INFINITY, waitMs: 0 };
