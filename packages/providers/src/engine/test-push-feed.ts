import type { Outcome } from '@heliograph/core';

import type { Attempt, Push, PushFeed } from '../push-provider.ts';

/** Gives pushes, and what was not processed once more, as the dispatcher does. */
export class TestPushFeed implements PushFeed {
  readonly environment = 'production';
  /** By delivery, in the order they came. */
  readonly attempts = new Map<string, Attempt[]>();
  stops: Outcome[] = [];
  asked = 0;
  inFlight = 0;
  /** Runs with each push that is settled. */
  onSettle: () => void = () => undefined;
  readonly #pushes: Push[];

  constructor(pushes: readonly Push[]) {
    this.#pushes = pushes.toReversed();
  }

  /** How often each push was settled, and as what at last. */
  get outcomes(): Outcome[] {
    return [...this.attempts.values()].flatMap((attempts) => attempts.at(-1)?.outcome ?? []);
  }

  next(): Push | undefined {
    this.asked += 1;
    const push = this.#pushes.pop();
    if (push !== undefined) this.inFlight += 1;
    return push;
  }

  settle(push: Push, attempt: Attempt): void {
    this.inFlight -= 1;
    const attempts = this.attempts.get(push.deliveryId) ?? [];
    this.attempts.set(push.deliveryId, [...attempts, attempt]);
    if (attempt.outcome.kind === 'requeue') this.#pushes.push(push);
    this.onSettle();
  }

  stop(outcome: Outcome): void {
    this.stops.push(outcome);
  }
}
