import type { FailuresReplayAnswer, LeftFailures, ReplayFailures } from '@heliograph/client';

/** Of all the answers so far. */
export interface ReplayTally {
  readonly replayed: number;
  readonly left: LeftFailures;
}

const NOTHING: ReplayTally = {
  replayed: 0,
  left: { ambiguous: 0, unreachable: 0, over: 0, cancelled: 0 },
};

/** Where a part of a campaign is just being sent, it is soon over. */
const WAIT_MS = 1_000;

/** Asks until there is nothing more, and tells the sum after each answer. Rejects where `signal` aborts between two of them. */
export async function* replayAll(
  ask: (request: ReplayFailures) => Promise<FailuresReplayAnswer>,
  request: ReplayFailures,
  signal: AbortSignal,
): AsyncGenerator<ReplayTally, void> {
  let tally = NOTHING;
  let after: string | null = null;
  for (;;) {
    const answer: FailuresReplayAnswer = await ask(
      after === null ? request : { ...request, after },
    );
    tally = add(tally, answer);
    yield tally;
    if (!answer.more) return;
    const isStuck = answer.next === after;
    after = answer.next;
    if (isStuck) await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    signal.throwIfAborted();
  }
}

function add(tally: ReplayTally, { replayed, left }: FailuresReplayAnswer): ReplayTally {
  return {
    replayed: tally.replayed + replayed,
    left: {
      ambiguous: tally.left.ambiguous + left.ambiguous,
      unreachable: tally.left.unreachable + left.unreachable,
      over: tally.left.over + left.over,
      cancelled: tally.left.cancelled + left.cancelled,
    },
  };
}
