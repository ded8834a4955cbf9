import type { Environment, Outcome, PushMessage } from '@heliograph/core';

/** One attempt to be made: a message for one device. */
export interface Push {
  /** UUID, the same on every attempt; APNs gets it as `apns-id`. */
  readonly deliveryId: string;
  /** As the device registered it; what a provider wants changed about it is changed here. */
  readonly pushToken: string;
  /** The same object for every delivery of a message: it is mapped once, not per delivery. */
  readonly message: PushMessage;
  /** Which host of APNs; FCM has no such split. */
  readonly environment: Environment;
}

export interface Attempt {
  readonly outcome: Outcome;
  /** The HTTP status; absent where nobody answered. */
  readonly status?: number;
  /** The provider's host, with its port where that is not 443. */
  readonly endpoint: string;
}

/** Where pushes come from, one at a time, as the provider has room for them. Nothing here may throw. */
export interface PushFeed<P extends Push = Push> {
  /** Which host of APNs all its pushes go to. */
  readonly environment: Environment;
  /** The next push; undefined where there is none now. */
  next(): P | undefined;
  /** What came of a push: once for each that `next` gave. One that is to go again is given again by `next`. */
  settle(push: P, attempt: Attempt): void;
  /** Nothing can be sent, and nothing was tried: `next` is not called any more. */
  stop(outcome: Outcome): void;
}

/** One app's way to its provider. */
export interface PushProvider {
  /** The longest time a send may take, ms; a lease must outlast it. */
  readonly deadlineMs: number;
  /** Single sends at once that make sense; more of them wait their turn inside, within the deadline. */
  readonly maxInFlight: number;
  /** Resolves with the provider's answer, refusals included. Rejects only on a bug of ours. Goes before all that is fed. */
  send(push: Push): Promise<Attempt>;
  /**
   * Sends what the feed gives, as fast as there is room, in turns with other feeds. Resolves when `next` has no more, or was stopped,
   * and all it gave is settled.
   */
  feed<P extends Push>(feed: PushFeed<P>): Promise<void>;
  /** Stops taking pushes, waits for the answers still owed, then closes the connections that nobody else uses. */
  close(): Promise<void>;
}

/** What we need of a logger; pino's has it. */
export interface ProviderLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}
