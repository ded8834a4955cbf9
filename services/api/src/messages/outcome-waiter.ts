import { listFinished, type Db } from '@heliograph/db';

export interface OutcomeWaiter {
  /** Resolves once every delivery of the messages is final, or after `timeoutMs`; the ledger tells which. */
  wait(messageIds: readonly string[], timeoutMs: number): Promise<void>;
  /** These messages may have changed: told by a dispatcher. */
  hint(messageIds: readonly string[]): void;
  /** Lets everyone go who still waits. */
  close(): void;
}

interface Waiter {
  readonly open: Set<string>;
  readonly done: () => void;
}

/** How often to look where no hint came: hints may get lost. */
const POLL_MS = 500;

/**
 * Waits for outcomes on behalf of all callers of this process. The ledger is asked once for all of them: about the hinted messages as
 * hints come, about everything every half second.
 */
export function createOutcomeWaiter(deps: {
  db: Db;
  onError: (error: unknown) => void;
}): OutcomeWaiter {
  const waiters = new Map<string, Set<Waiter>>();
  const hinted = new Set<string>();
  let asking = false;
  let poll: NodeJS.Timeout | undefined;

  async function ask(): Promise<void> {
    if (asking) return;
    asking = true;
    try {
      while (hinted.size > 0) {
        const ids = [...hinted];
        hinted.clear();
        for (const id of await listFinished(deps.db, ids)) finish(id);
      }
    } catch (error) {
      // The database is away: the next look, or each caller's own time-out, decides.
      deps.onError(error);
    } finally {
      asking = false;
    }
  }

  function finish(messageId: string): void {
    for (const waiter of waiters.get(messageId) ?? []) {
      waiter.open.delete(messageId);
      if (waiter.open.size === 0) waiter.done();
    }
    waiters.delete(messageId);
  }

  function hint(messageIds: readonly string[]): void {
    for (const id of messageIds) if (waiters.has(id)) hinted.add(id);
    if (hinted.size > 0) void ask();
  }

  function pollWhileNeeded(): void {
    poll ??= setInterval(() => {
      if (waiters.size > 0) return hint([...waiters.keys()]);
      clearInterval(poll);
      poll = undefined;
    }, POLL_MS);
  }

  function remove(waiter: Waiter, messageIds: readonly string[]): void {
    for (const id of messageIds) {
      const others = waiters.get(id);
      others?.delete(waiter);
      if (others?.size === 0) waiters.delete(id);
    }
  }

  return {
    wait(messageIds, timeoutMs) {
      return new Promise((resolve) => {
        const timer = setTimeout(() => waiter.done(), timeoutMs);
        const waiter: Waiter = {
          open: new Set(messageIds),
          done() {
            clearTimeout(timer);
            remove(waiter, messageIds);
            resolve();
          },
        };
        for (const id of messageIds) {
          const others = waiters.get(id) ?? new Set();
          waiters.set(id, others.add(waiter));
        }
        pollWhileNeeded();
        // The outcome may have come before we listened.
        hint(messageIds);
      });
    },
    hint,
    close() {
      clearInterval(poll);
      for (const all of waiters.values()) for (const waiter of all) waiter.done();
    },
  };
}
