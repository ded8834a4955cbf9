import { DEFERRED, type DeliveryState } from '@heliograph/core';
import { claimUnsettled, type UnsettledChunk } from '@heliograph/db';

import { ChunkProgress } from './chunk-progress.ts';
import type { Checkpointer } from './checkpointer.ts';
import type { ChunkSenderDeps } from './send-chunk.ts';

/** How everything ends that is owed of a run which does not go on. */
export interface Ending {
  readonly state: Extract<DeliveryState, 'skipped' | 'expired'>;
  readonly reason: 'cancelled' | 'expired';
}

const CHUNKS_AT_ONCE = 50;

/**
 * Ends what is owed of a run that was cancelled, or whose time is over while it is stopped, chunk by chunk. Chunks that are being sent
 * are left to who sends them, and come back at once. Answers how many chunks it ended.
 */
export async function settleRun(
  deps: Pick<ChunkSenderDeps, 'db' | 'leases' | 'clockMs' | 'leaseMs'> & {
    readonly checkpointer: Checkpointer;
  },
  runId: string,
  ending: Ending,
): Promise<number> {
  const askedAtMs = deps.clockMs();
  const chunks = await claimUnsettled(deps.db, runId, CHUNKS_AT_ONCE, deps.leaseMs);
  await Promise.all(
    chunks.map((chunk) => {
      deps.leases.hold(chunk, askedAtMs);
      const progress = new ChunkProgress(chunk);
      endAll(progress, chunk, ending);
      deps.checkpointer.watch(progress);
      return deps.checkpointer.release(progress, { kind: 'done' });
    }),
  );
  return chunks.length;
}

function endAll(progress: ChunkProgress, chunk: UnsettledChunk, { state, reason }: Ending): void {
  const tried = new Map(chunk.deferred.map((exception) => [exception.index, exception]));
  for (const index of progress.owed()) {
    const exception = progress.codeAt(index) === DEFERRED ? tried.get(index) : undefined;
    progress.finish(
      index,
      state,
      reason,
      exception === undefined ? undefined : { ...exception, state, reason },
    );
  }
}
