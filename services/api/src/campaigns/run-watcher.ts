import { Refusal } from '@heliograph/core';

import type { RunProgress } from './run-progress.ts';

/** Somebody who watches a run. */
export interface RunListener {
  /** Whether it takes anything now. One that did not hears of the run as it is then once it calls `wake`. */
  isReady(): boolean;
  onProgress(progress: RunProgress): void;
  /** The run is over, and its last progress was told. */
  onOver(progress: RunProgress): void;
  /** Nothing more will come from this process. */
  onClosed(): void;
}

/** A listener's own end of its watch. */
export interface RunWatch {
  wake(): void;
  stop(): void;
}

export interface RunWatcher {
  /**
   * Tells the listener the run's progress at once, and again whenever it changed, until the run is over. `progress` is what the caller
   * has just read. Refuses when too many watch already, before it opens the listener.
   */
  watch(progress: RunProgress, open: (watch: RunWatch) => RunListener): void;
  /** Lets everyone go who still watches. */
  close(): void;
}

export interface RunWatcherDeps {
  /** Of the runs of these ids. */
  readonly read: (runIds: readonly string[]) => Promise<readonly RunProgress[]>;
  readonly onError: (error: unknown) => void;
  readonly pollMs?: number;
  readonly maxWatches?: number;
}

const POLL_MS = 1000;
const MAX_WATCHES = 1000;

interface WatchedRun {
  progress: RunProgress;
  /** To see whether it changed. */
  text: string;
  readonly watches: Set<{ listener: RunListener; told: string | undefined }>;
}

/** Watches runs on behalf of all callers of this process: one query a second for all of them, none while nobody watches. */
export function createRunWatcher({
  read,
  onError,
  pollMs = POLL_MS,
  maxWatches = MAX_WATCHES,
}: RunWatcherDeps): RunWatcher {
  const runs = new Map<string, WatchedRun>();
  let watching = 0;
  let isReading = false;
  let isClosed = false;
  let poll: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    const open = [...runs].flatMap(([id, run]) => (isOver(run) ? [] : [id]));
    if (isReading || open.length === 0) return;
    isReading = true;
    try {
      for (const progress of await read(open)) update(progress);
    } catch (error) {
      // The database is away: the next look will tell.
      onError(error);
    } finally {
      isReading = false;
    }
  }

  function update(progress: RunProgress): void {
    const run = runs.get(progress.run.id);
    if (run === undefined) return;
    const text = JSON.stringify(progress);
    if (text !== run.text) Object.assign(run, { progress, text });
    for (const watch of run.watches) tell(run, watch);
  }

  function tell(
    run: WatchedRun,
    watch: { readonly listener: RunListener; told: string | undefined },
  ): void {
    const { listener } = watch;
    if (watch.told !== run.text) {
      if (!listener.isReady()) return;
      watch.told = run.text;
      listener.onProgress(run.progress);
    }
    if (isOver(run)) listener.onOver(run.progress);
  }

  return {
    watch(progress, open) {
      if (isClosed) throw new Refusal('unavailable', 'This server is about to stop.');
      if (watching >= maxWatches)
        throw new Refusal('unavailable', `This server has ${maxWatches} watchers already.`);

      const { id } = progress.run;
      const run = runs.get(id) ?? {
        progress,
        text: JSON.stringify(progress),
        watches: new Set(),
      };
      const watch = {
        told: undefined,
        listener: open({
          wake() {
            if (run.watches.has(watch)) tell(run, watch);
          },
          stop() {
            if (!run.watches.delete(watch)) return;
            watching -= 1;
            if (run.watches.size === 0) runs.delete(id);
            if (runs.size > 0) return;
            clearInterval(poll);
            poll = undefined;
          },
        }),
      };
      runs.set(id, run);
      run.watches.add(watch);
      watching += 1;
      poll ??= setInterval(() => void look(), pollMs);
      tell(run, watch);
    },

    close() {
      isClosed = true;
      for (const { watches } of runs.values())
        for (const { listener } of watches) listener.onClosed();
    },
  };
}

function isOver({ progress }: WatchedRun): boolean {
  return progress.run.finishedAt !== null;
}
