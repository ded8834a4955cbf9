import { SENDING_STATES, type RunState } from '@heliograph/core';
import { readRunStandings, type Db, type RunStandingNow } from '@heliograph/db';

/** So often the standing of the runs in hand is read: a pause or a cancel takes effect within that and a statement. */
const LOOK_EVERY_MS = 250;
/** Nothing is sent on a standing that is older: who can't see a pause must not send. */
const MAX_AGE_MS = 900;

/** How the runs stand that this process is sending. */
export interface RunWatch {
  /** Looks after the run until `leave` is called as often. */
  enter(standing: RunStandingNow, readAtMs: number): void;
  leave(runId: string): void;
  /** Whether the run was in a sending state a moment ago. */
  maySend(runId: string): boolean;
  /** Whether nobody knows how it stands, since it could not be read for a while. */
  isStale(runId: string): boolean;
  /** Whether its audience was wholly frozen by then. */
  isMaterialised(runId: string): boolean;
  close(): void;
}

interface Entry {
  holders: number;
  standing: RunStandingNow;
  readAtMs: number;
}

export function createRunWatch(deps: {
  db: Db;
  clockMs: () => number;
  onError: (error: unknown) => void;
}): RunWatch {
  const entries = new Map<string, Entry>();
  let looking = false;

  async function look(): Promise<void> {
    if (looking || entries.size === 0) return;
    looking = true;
    try {
      const readAtMs = deps.clockMs();
      for (const standing of await readRunStandings(deps.db, [...entries.keys()]))
        note(standing, readAtMs);
    } catch (error) {
      deps.onError(error);
    } finally {
      looking = false;
    }
  }

  /** Answers may come in another order than they were asked for. */
  function note(standing: RunStandingNow, readAtMs: number): void {
    const entry = entries.get(standing.id);
    if (entry !== undefined && readAtMs >= entry.readAtMs)
      Object.assign(entry, { standing, readAtMs });
  }

  function isFresh({ readAtMs }: Entry): boolean {
    return deps.clockMs() - readAtMs <= MAX_AGE_MS;
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS);

  return {
    enter(standing, readAtMs) {
      const entry = entries.get(standing.id);
      if (entry === undefined) entries.set(standing.id, { holders: 1, standing, readAtMs });
      else entry.holders += 1;
      note(standing, readAtMs);
    },
    leave(runId) {
      const entry = entries.get(runId);
      if (entry === undefined) return;
      entry.holders -= 1;
      if (entry.holders === 0) entries.delete(runId);
    },
    maySend(runId) {
      const entry = entries.get(runId);
      return entry !== undefined && isSending(entry.standing.state) && isFresh(entry);
    },
    isStale(runId) {
      const entry = entries.get(runId);
      return entry !== undefined && !isFresh(entry);
    },
    isMaterialised: (runId) => entries.get(runId)?.standing.isMaterialised === true,
    close: () => clearInterval(timer),
  };
}

export function isSending(state: RunState): boolean {
  return SENDING_STATES.some((sending) => sending === state);
}
