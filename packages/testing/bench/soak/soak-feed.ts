import { afterRequeues, type PushMessage } from '@heliograph/core';
import type { Attempt, PushFeed } from '@heliograph/providers';

import type { SendLedger } from './send-ledger.ts';
import { SoakPush } from './soak-push.ts';

export interface SoakFeedDeps {
  readonly message: PushMessage;
  readonly ledger: SendLedger;
  /** Numbers of its pushes, from the first one up to and without the last one. */
  readonly first: number;
  readonly end: number;
}

/** A chunk of pushes, given as the dispatcher gives those of campaigns: what was not processed is given again, and first. */
export class SoakFeed implements PushFeed<SoakPush> {
  readonly environment = 'production';
  readonly #deps: SoakFeedDeps;
  readonly #again: SoakPush[] = [];
  #next: number;

  constructor(deps: SoakFeedDeps) {
    this.#deps = deps;
    this.#next = deps.first;
  }

  /** There is nothing left to be given. */
  get isEmpty(): boolean {
    return this.#again.length === 0 && this.#next === this.#deps.end;
  }

  next(): SoakPush | undefined {
    const push = this.#again.pop();
    if (push !== undefined || this.#next === this.#deps.end) return push;
    return new SoakPush(this.#next++, this.#deps.message);
  }

  settle(push: SoakPush, attempt: Attempt): void {
    const { ledger } = this.#deps;
    const outcome = afterRequeues(attempt.outcome, push.requeues);
    if (outcome.kind !== 'requeue') return ledger.noteEnd(push, outcome);
    ledger.noteRequeue(push);
    this.#again.push(push);
  }

  /** What was not given stays, and is fed again. */
  stop(): void {}
}
