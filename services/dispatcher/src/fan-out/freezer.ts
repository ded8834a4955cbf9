import { countUsers, freezePage, type Db } from '@heliograph/db';
import type { Logger } from 'pino';

/** Audiences that are frozen by one process at a time; the others wait for a place. */
const MAX_AT_ONCE = 2;

export interface Freezer {
  /** Freezes the run's audience if nobody is at it, and goes on where another one stopped. */
  start(runId: string): void;
  /** Stops after the page, or the count, under way. */
  close(): Promise<void>;
}

/** Turns the audiences of runs into chunks, page by page, while the first of them are sent already. */
export function createFreezer(deps: {
  readonly db: Db;
  readonly log: Logger;
  /** There are chunks to send, or nothing more is to come. */
  readonly onProgress: () => void;
}): Freezer {
  const freezing = new Map<string, Promise<void>>();
  let closing = false;

  async function freeze(runId: string): Promise<void> {
    const startedMs = performance.now();
    let pages = 0;
    for (let more = true; more && !closing; pages += 1) {
      more = await freezePage(deps.db, runId);
      deps.onProgress();
    }
    if (!closing) await countUsers(deps.db, runId);
    const tookMs = Math.round(performance.now() - startedMs);
    deps.log.info({ runId, pages, tookMs }, 'audience frozen');
    deps.onProgress();
  }

  return {
    start(runId) {
      if (closing || freezing.has(runId) || freezing.size >= MAX_AT_ONCE) return;
      const frozen = freeze(runId)
        .catch((error: unknown) =>
          deps.log.warn({ err: error, runId }, 'audience not frozen yet; it goes on soon'),
        )
        .finally(() => freezing.delete(runId));
      freezing.set(runId, frozen);
    },
    async close() {
      closing = true;
      await Promise.all(freezing.values());
    },
  };
}
