import type { GivenAnswer } from '../recording/given-answer.ts';

/** Calls kept in full; what is known of events is kept of all. */
const KEPT_CALLS = 10_000;

export interface CallbackEvent {
  /** Stable over all sends of the event. */
  readonly id: string;
  /** The delivery or run that it tells of; absent where it tells of neither. */
  readonly subject?: string;
  /** When that came about, in ISO 8601. */
  readonly at: string;
  /** The event as it came. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** One call as it arrived, refused or not. */
export interface ReceivedCallback {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Empty where the call did not say. */
  readonly key: string;
  readonly answer: GivenAnswer;
  /** Why the call was not believed. */
  readonly refusal?: string;
  readonly events: readonly CallbackEvent[];
}

/** All that arrived since the start, or the last `clear`. */
export interface CallbackSummary {
  readonly calls: number;
  readonly acceptedCalls: number;
  /** Calls that were not believed: a wrong signature, a nonce used before, no events. */
  readonly refusedCalls: number;
  /** Events of accepted calls, each once, in the order of their first arrival. */
  readonly events: readonly CallbackEvent[];
  /** How often an event arrived that had been accepted before. */
  readonly duplicates: number;
  /** Ids that came a second time with another content. */
  readonly contradictions: readonly string[];
  /** Ids of events that arrived after a later one of the same delivery or run. */
  readonly orderViolations: readonly string[];
}

/** What one key has sent. */
class KeyLog {
  calls = 0;
  acceptedCalls = 0;
  refusedCalls = 0;
  duplicates = 0;
  readonly events = new Map<string, CallbackEvent>();
  readonly contradictions = new Set<string>();
  readonly orderViolations = new Set<string>();
  readonly #lastOfSubject = new Map<string, string>();

  accept(event: CallbackEvent): void {
    const known = this.events.get(event.id);
    if (known) {
      this.duplicates += 1;
      const isSame = JSON.stringify(known.content) === JSON.stringify(event.content);
      if (!isSame) this.contradictions.add(event.id);
      return;
    }
    this.events.set(event.id, event);
    this.#checkOrder(event);
  }

  #checkOrder({ id, subject, at }: CallbackEvent): void {
    if (subject === undefined) return;
    const last = this.#lastOfSubject.get(subject) ?? '';
    // ISO 8601 in UTC: what is earlier is less.
    if (at < last) this.orderViolations.add(id);
    else this.#lastOfSubject.set(subject, at);
  }
}

interface Waiter {
  readonly onCall: () => void;
}

/** Keeps what customers' receivers were told, by the key of the caller. */
export class CallbackLog {
  #calls: ReceivedCallback[] = [];
  readonly #byKey = new Map<string, KeyLog>();
  readonly #waiters = new Set<Waiter>();

  record(call: ReceivedCallback, accepted: boolean): void {
    this.#calls.push(call);
    if (this.#calls.length > 2 * KEPT_CALLS) this.#calls = this.#calls.slice(-KEPT_CALLS);
    const log = this.#of(call.key);
    log.calls += 1;
    if (call.refusal !== undefined) log.refusedCalls += 1;
    if (accepted) {
      log.acceptedCalls += 1;
      for (const event of call.events) log.accept(event);
    }
    for (const waiter of this.#waiters) waiter.onCall();
  }

  /** Oldest first. */
  calls(key: string): ReceivedCallback[] {
    return this.#calls.filter((call) => call.key === key);
  }

  keys(): string[] {
    return [...this.#byKey.keys()];
  }

  summary(key: string): CallbackSummary {
    const log = this.#byKey.get(key) ?? new KeyLog();
    const { calls, acceptedCalls, refusedCalls, duplicates } = log;
    return {
      calls,
      acceptedCalls,
      refusedCalls,
      events: [...log.events.values()],
      duplicates,
      contradictions: [...log.contradictions],
      orderViolations: [...log.orderViolations],
    };
  }

  /** Resolves once what arrived is as wished; rejects after the timeout. */
  waitFor(
    key: string,
    isEnough: (summary: CallbackSummary) => boolean,
    timeoutMs: number,
  ): Promise<CallbackSummary> {
    const present = this.summary(key);
    if (isEnough(present)) return Promise.resolve(present);

    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        onCall: () => {
          const summary = this.summary(key);
          if (!isEnough(summary)) return;
          finish();
          resolve(summary);
        },
      };
      const timer = setTimeout(() => {
        finish();
        const { calls, events } = this.summary(key);
        const seen = `${calls} calls with ${events.length} events`;
        reject(
          new Error(`The awaited callbacks did not arrive in ${timeoutMs} ms, but ${seen} did.`),
        );
      }, timeoutMs);
      const finish = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      this.#waiters.add(waiter);
    });
  }

  clear(): void {
    this.#calls = [];
    this.#byKey.clear();
  }

  #of(key: string): KeyLog {
    const known = this.#byKey.get(key);
    if (known) return known;
    const made = new KeyLog();
    this.#byKey.set(key, made);
    return made;
  }
}
