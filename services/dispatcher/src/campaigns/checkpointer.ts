import {
  isContentRefused,
  recordCheckpoints,
  type ChunkCheckpoint,
  type ChunkRelease,
  type Db,
} from '@heliograph/db';
import type { Logger } from 'pino';

import type { ChunkLeases } from './chunk-leases.ts';
import type { ChunkProgress } from './chunk-progress.ts';

/** A process that dies repeats at most what it sent since its last checkpoint, so long ago and the time of a statement. */
export const CHECKPOINT_EVERY_MS = 150;
/** Nothing is sent while outcomes wait longer than that for the database: all of them would be sent again if this process died. */
const MAX_BEHIND_MS = 600;
const RETRY_DELAY_MS = 250;
const MAX_RETRIES_WHILE_CLOSING = 20;
/** Sums of runs are kept in so many rows, so that dispatchers don't wait for each other. */
const SHARDS = 16;

export interface Checkpointer {
  /** From now on its outcomes are written as they come. */
  watch(progress: ChunkProgress): void;
  /** Writes what is left and gives up the lease. Resolves once that is in the ledger, or was found to be another's. Never rejects. */
  release(progress: ChunkProgress, release: ChunkRelease): Promise<void>;
  /** Whether outcomes wait too long already to be written. */
  isBehind(): boolean;
  /** Writes what is left, unless the database stays away. */
  close(): Promise<void>;
}

export interface CheckpointerDeps {
  readonly db: Db;
  readonly leases: ChunkLeases;
  readonly log: Logger;
  /** It is in the ledger. */
  readonly onRecorded: (checkpoint: ChunkCheckpoint) => void;
  readonly onError: (error: unknown) => void;
  readonly random: () => number;
}

/**
 * Writes the outcomes of all chunks of this process in one statement, over and over while something is sent. While the database is
 * away outcomes wait here, since what was sent must not be sent again.
 */
export function createCheckpointer(deps: CheckpointerDeps): Checkpointer {
  const shard = Math.floor(deps.random() * SHARDS);
  const watched = new Map<ChunkProgress, (() => void) | undefined>();
  let writing: Promise<void> | undefined;
  let closing = false;
  /** Everything that came before is written. */
  let writtenUntilMs = performance.now();

  async function writeAll(): Promise<void> {
    let failures = 0;
    for (;;) {
      const lookedAtMs = performance.now();
      const dirty = [...watched.keys()].filter((progress) => progress.isDirty);
      try {
        if (dirty.length > 0) await write(dirty);
        writtenUntilMs = lookedAtMs;
        failures = 0;
      } catch (error) {
        deps.onError(error);
        failures += 1;
        if (closing && failures > MAX_RETRIES_WHILE_CLOSING) return;
        await pause(RETRY_DELAY_MS);
        continue;
      }
      // What came meanwhile is written by the next round; only what ends its lease has somebody waiting.
      if (![...watched].some(([progress, done]) => done !== undefined && progress.isDirty)) return;
    }
  }

  /** Narrows down what the database will never take, or one row would hold up every outcome of this process. */
  async function write(dirty: readonly ChunkProgress[]): Promise<void> {
    try {
      const points = dirty.map((progress) => progress.toCheckpoint());
      const recorded = await recordCheckpoints(deps.db, points, shard);
      for (const [n, progress] of dirty.entries()) {
        const point = recorded[n] === true ? points[n] : undefined;
        settle(progress, point);
      }
    } catch (error) {
      if (!isContentRefused(error)) throw error;
      const [only] = dirty;
      if (dirty.length > 1) {
        for (const progress of dirty) await write([progress]);
        return;
      }
      if (only !== undefined) await writeBare(only, error);
    }
  }

  async function writeBare(progress: ChunkProgress, refusal: unknown): Promise<void> {
    deps.onError(refusal);
    progress.withoutWords();
    try {
      const point = progress.toCheckpoint();
      const [recorded] = await recordCheckpoints(deps.db, [point], shard);
      settle(progress, recorded === true ? point : undefined);
    } catch (error) {
      if (!isContentRefused(error)) throw error;
      // Nothing of it can be written: its lease runs out, and it is tried again.
      deps.onError(error);
      settle(progress, undefined);
    }
  }

  /** `recorded` is what is in the ledger now. */
  function settle(progress: ChunkProgress, recorded: ChunkCheckpoint | undefined): void {
    if (recorded === undefined)
      deps.log.warn({ ...progress.lease }, 'chunk was taken over: its last outcomes are not known');
    else deps.onRecorded(recorded);
    if (!progress.settle(recorded !== undefined)) return;
    deps.leases.drop(progress.lease);
    watched.get(progress)?.();
    watched.delete(progress);
  }

  function startWriting(): void {
    writing ??= writeAll().finally(() => {
      writing = undefined;
    });
  }

  const timer = setInterval(startWriting, CHECKPOINT_EVERY_MS);

  return {
    watch(progress) {
      watched.set(progress, undefined);
    },
    release(progress, release) {
      if (!watched.has(progress)) return Promise.resolve();
      return new Promise((resolve) => {
        progress.release(release);
        watched.set(progress, resolve);
        startWriting();
      });
    },
    isBehind: () => performance.now() - writtenUntilMs > MAX_BEHIND_MS,
    async close() {
      closing = true;
      clearInterval(timer);
      startWriting();
      while (writing !== undefined) await writing;
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
