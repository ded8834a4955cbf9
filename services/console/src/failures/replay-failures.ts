import type { FailuresReplayAnswer, LeftFailures, ReplayFailures } from '@heliograph/client';

/** Of all the answers so far. */
export interface ReplayTally {
  readonly replayed: number;
  readonly left: LeftFailures;
  /** Some are left to look at: at the end, those of a campaign that was just being sent. */
  readonly more: boolean;
}

const NOTHING: ReplayTally = {
  replayed: 0,
  left: { ambiguous: 0, unreachable: 0, over: 0, cancelled: 0 },
  more: true,
};

/** Where a part of a campaign is just being sent, it is soon over. */
const WAIT_MS = 1_000;
/** It is not where the campaign stands still: whoever asks may come back later. */
const MAX_WAITS = 5;

/** Asks until there is nothing more or nothing moves, and tells the sum after each answer. Rejects where `signal` aborts between two of them. */
export async function* replayAll(
  ask: (request: ReplayFailures) => Promise<FailuresReplayAnswer>,
  request: ReplayFailures,
  signal: AbortSignal,
): AsyncGenerator<ReplayTally, void> {
  let tally = NOTHING;
  let after: string | null = null;
  let waits = 0;
  for (;;) {
    const answer: FailuresReplayAnswer = await ask(
      after === null ? request : { ...request, after },
    );
    tally = add(tally, answer);
    yield tally;
    if (!answer.more || waits === MAX_WAITS) return;
    const isStuck = answer.next === after && answer.replayed === 0;
    after = answer.next;
    waits = isStuck ? waits + 1 : 0;
    if (isStuck) await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    signal.throwIfAborted();
  }
}

function add(tally: ReplayTally, { replayed, left, more }: FailuresReplayAnswer): ReplayTally {
  return {
    replayed: tally.replayed + replayed,
    left: {
      ambiguous: tally.left.ambiguous + left.ambiguous,
      unreachable: tally.left.unreachable + left.unreachable,
      over: tally.left.over + left.over,
      cancelled: tally.left.cancelled + left.cancelled,
    },
    more,
  };
}
