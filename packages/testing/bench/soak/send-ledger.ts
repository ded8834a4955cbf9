import type { Outcome, Requeue } from '@heliograph/core';

import type { SoakPush } from './soak-push.ts';

/** What a push came to, as its byte of the ledger. */
export const ENDED = { not: 0, sent: 1, ambiguous: 2, unprocessed: 3, refused: 4 } as const;

/** What became of every push, by its number. */
export class SendLedger {
  readonly ends: Uint8Array;
  /** The last attempt at each, from 0 on. */
  readonly lastAttempts: Uint8Array;
  requeues = 0;
  ended = 0;
  /** Ends of pushes that had ended before. */
  endedAgain = 0;

  constructor(pushes: number) {
    this.ends = new Uint8Array(pushes);
    this.lastAttempts = new Uint8Array(pushes);
  }

  noteRequeue(push: SoakPush): void {
    if (this.ends[push.number] !== ENDED.not) this.endedAgain += 1;
    this.requeues += 1;
    push.noteRequeue();
  }

  noteEnd(push: SoakPush, outcome: Exclude<Outcome, Requeue>): void {
    if (this.ends[push.number] === ENDED.not) this.ended += 1;
    else this.endedAgain += 1;
    this.ends[push.number] = toEnded(outcome);
    this.lastAttempts[push.number] = push.requeues;
  }
}

function toEnded({ kind }: Exclude<Outcome, Requeue>): number {
  switch (kind) {
    case 'sent':
      return ENDED.sent;
    case 'ambiguous':
      return ENDED.ambiguous;
    // The server refuses nothing by an answer: it had no connection, or was not processed too often.
    case 'retry':
      return ENDED.unprocessed;
    case 'fail':
    case 'gone':
    case 'pause':
      return ENDED.refused;
  }
}
