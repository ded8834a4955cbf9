import type { Provider } from '@heliograph/core';
import {
  isContentRefused,
  recordUpdates,
  releaseLeases,
  type CallbackAudience,
  type Db,
  type DeliveryUpdate,
} from '@heliograph/db';

import type { LeaseBook } from './lease-book.ts';

/** What is to be written for one delivery, and who cares. */
export interface Recording {
  readonly update: DeliveryUpdate;
  readonly appRef: number;
  readonly provider: Provider;
  /** The message, where a caller waits for its outcome. */
  readonly awaitedMessageId: string | undefined;
}

export interface Recorder {
  /** Resolves once the outcome is in the ledger, or was found to be somebody else's to write. Never rejects. */
  record(recording: Recording): Promise<void>;
  /** Writes what is left, unless the database stays away. */
  close(): Promise<void>;
}

export interface RecorderDeps {
  readonly db: Db;
  readonly leases: LeaseBook;
  readonly audience: CallbackAudience;
  /** Outcomes are in the ledger: callers may be told, and short waits announced. */
  readonly onRecorded: (recordings: readonly Recording[]) => void;
  readonly onError: (error: unknown) => void;
}

/** Outcomes of all jobs of this process share statements; more wait for the next one. */
const MAX_UPDATES_PER_STATEMENT = 1000;
const RETRY_DELAY_MS = 200;
const MAX_RETRY_DELAY_MS = 2_000;

interface Waiting extends Recording {
  readonly done: () => void;
}

/** Whether callbacks may have to be told. */
interface Hearing {
  readonly isHeard: boolean;
}

/**
 * Group commit of outcomes: written at once on an idle server, together under load. While the database is away outcomes wait here, since
 * what was sent must not be sent again: the epoch keeps a late write from overwriting anybody's.
 */
export function createRecorder(deps: RecorderDeps): Recorder {
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  let closing = false;

  async function writeAll(): Promise<void> {
    let failures = 0;
    while (waiting.length > 0) {
      const group = waiting.slice(0, MAX_UPDATES_PER_STATEMENT);
      try {
        await write(
          group.map((one) => one.update),
          { isHeard: group.some(isHeard) },
        );
      } catch (error) {
        deps.onError(error);
        failures += 1;
        if (closing && failures > 5) return;
        await pause(Math.min(RETRY_DELAY_MS * 2 ** failures, MAX_RETRY_DELAY_MS));
        continue;
      }
      failures = 0;
      waiting = waiting.slice(group.length);
      for (const { update, done } of group) {
        deps.leases.drop(update);
        done();
      }
      deps.onRecorded(group);
    }
  }

  /** Narrows down what the database will never take, or one row would hold up every outcome of this process. */
  async function write(updates: readonly DeliveryUpdate[], hearing: Hearing): Promise<void> {
    try {
      await recordUpdates(deps.db, updates, hearing);
    } catch (error) {
      if (!isContentRefused(error)) throw error;
      const [only] = updates;
      if (updates.length === 1 && only !== undefined) return writeBare(only, error, hearing);
      const half = updates.length >> 1;
      // What is written twice, because the second half meets a lost connection, is written once.
      await write(updates.slice(0, half), hearing);
      await write(updates.slice(half), hearing);
    }
  }

  /** What became of the delivery without the details: a push that was sent must be known to be sent. */
  async function writeBare(
    update: DeliveryUpdate,
    refusal: unknown,
    hearing: Hearing,
  ): Promise<void> {
    deps.onError(refusal);
    const reason = update.reason === null ? null : 'unrecordable';
    try {
      const bare = { ...update, reason, providerMessageId: null, attempt: null };
      await recordUpdates(deps.db, [bare], hearing);
    } catch (error) {
      if (!isContentRefused(error)) throw error;
      // Nothing of it can be written: its lease runs out, and it is tried again.
      deps.onError(error);
    }
  }

  function isHeard({ update, appRef }: Recording): boolean {
    return update.state !== 'pending' && deps.audience.listensTo(appRef);
  }

  return {
    record(recording) {
      return new Promise((resolve) => {
        waiting.push({ ...recording, done: resolve });
        writing ??= afterThisTick()
          .then(writeAll)
          .finally(() => {
            writing = undefined;
          });
      });
    },
    async close() {
      closing = true;
      while (writing !== undefined) await writing;
    },
  };
}

/** Gives leases back; where that fails they run out by themselves. */
export async function giveBack(
  deps: Pick<RecorderDeps, 'db' | 'leases' | 'onError'>,
  held: readonly { readonly id: string; readonly leaseEpoch: number }[],
): Promise<void> {
  for (const lease of held) deps.leases.drop(lease);
  try {
    await releaseLeases(deps.db, held);
  } catch (error) {
    deps.onError(error);
  }
}

/** Answers that came in one read of the socket are written together. */
function afterThisTick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
