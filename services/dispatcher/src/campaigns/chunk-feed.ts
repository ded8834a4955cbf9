import { afterRequeues, type Outcome, type Requeue } from '@heliograph/core';
import type { Attempt, PushFeed } from '@heliograph/providers';

import type { ChunkPush, ChunkTodo } from './chunk-push.ts';

export interface ChunkFeedDeps {
  readonly todo: ChunkTodo;
  /** Whether another push may be sent at this moment. */
  readonly mayOpen: () => boolean;
  /** The scope was stopped a moment ago: only what tries it out may be sent. */
  readonly isPaused: () => boolean;
  /** Takes the right to send one more; false: not now. */
  readonly takePermit: () => boolean;
  /** The provider answered a push, so long after it was given. */
  readonly onAnswer: (latencyMs: number) => void;
  readonly settle: (push: ChunkPush, attempt: Attempt, outcome: Exclude<Outcome, Requeue>) => void;
}

/** What may be sent is asked again after that, and not for each of many pushes that leave together. */
const ASK_EVERY_MS = 2;

/** Gives a provider the pushes of a chunk, as long as they may be sent. */
export class ChunkFeed implements PushFeed<ChunkPush> {
  readonly environment: PushFeed['environment'];
  readonly #deps: ChunkFeedDeps;
  /** Given once, and to be given again. */
  readonly #again: ChunkPush[] = [];
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #mayOpen = false;
  #isPaused = false;
  /** When it was last asked for a push that it had, or told what came of one. */
  #lastSignAtMs = performance.now();
  /** Why nothing can be sent. */
  stoppedBy: Outcome | undefined;
  /** There was a push, and no permit for it. */
  wantsPermit = false;
  /** There was a push, and its scope is paused. */
  isHeld = false;
  #given = 0;
  #answers = 0;

  constructor(deps: ChunkFeedDeps) {
    this.#deps = deps;
    const { environment } = deps.todo;
    this.environment = environment === '' ? 'production' : environment;
  }

  next(): ChunkPush | undefined {
    const nowMs = performance.now();
    // By a clock that goes on while a process is stopped: whoever wakes up asks before anything else leaves.
    if (nowMs - this.#askedAtMs >= ASK_EVERY_MS) {
      this.#mayOpen = this.#deps.mayOpen();
      this.#isPaused = this.#deps.isPaused();
      this.#askedAtMs = nowMs;
    }
    if (!this.#mayOpen) return undefined;
    const push = this.#again.pop() ?? this.#deps.todo.next();
    if (push === undefined) return undefined;
    this.isHeld = this.#isPaused && push.probeOf === undefined;
    this.wantsPermit = !this.isHeld && !this.#deps.takePermit();
    if (this.isHeld || this.wantsPermit) {
      this.#again.push(push);
      return undefined;
    }
    if (push.startedAtMs === 0) push.startedAtMs = nowMs;
    this.#lastSignAtMs = nowMs;
    this.#given += 1;
    return push;
  }

  settle(push: ChunkPush, attempt: Attempt): void {
    this.#lastSignAtMs = performance.now();
    const outcome = afterRequeues(attempt.outcome, push.requeues);
    if (outcome.kind === 'requeue') {
      push.requeues += 1;
      this.#again.push(push);
      return;
    }
    if (attempt.status !== undefined) {
      this.#answers += 1;
      this.#deps.onAnswer(this.#lastSignAtMs - push.startedAtMs);
    }
    this.#deps.settle(push, attempt, outcome);
  }

  stop(outcome: Outcome): void {
    this.stoppedBy = outcome;
  }

  /** There is nothing left to be given. */
  get isEmpty(): boolean {
    return this.#again.length === 0 && this.#deps.todo.isEmpty;
  }

  /** Pushes were given, and the provider had nothing to say about any of them. */
  get isUnanswered(): boolean {
    return this.#given > 0 && this.#answers === 0;
  }

  /** How long nothing was sent or answered, be it for want of an answer, a stream, a token or a connection, ms. */
  silentForMs(): number {
    return performance.now() - this.#lastSignAtMs;
  }

  /** What was not sent: it is given to nobody any more. */
  drain(): ChunkPush[] {
    return [...this.#again.splice(0), ...this.#deps.todo.drain()];
  }
}
