import {
  connectHttp2,
  type ConnectOptions,
  type Goaway,
  type Http2Connection,
  type Request,
  type RequestEnd,
} from '@heliograph/http2';

import type { PoolTimes } from './pool-times.ts';

/** A request that was silent to its deadline is the connection's fault where others before it were, too. */
const MAX_SILENT_REQUESTS = 3;

/** How a connection came to take no more requests. */
export interface Gone {
  /** `goaway`, where answers may still be owed, or why it is closed. */
  readonly reason: string;
  /** The peer's farewell. */
  readonly goaway?: Goaway;
}

export interface SessionEvents {
  readonly onCapacity: () => void;
  /** May come again: after the farewell, the end. */
  readonly onGone: (session: Session, gone: Gone) => void;
}

export interface SessionOptions extends Omit<ConnectOptions, 'events' | 'timeoutMs'> {
  readonly times: PoolTimes;
}

/**
 * A connection and how it fares. One that leaves requests in a row without an answer is asked whether it is there, and takes none
 * until it says so.
 */
export class Session {
  readonly #connection: Http2Connection;
  readonly #times: PoolTimes;
  readonly #onCapacity: () => void;
  #silent = 0;
  #suspected = false;
  #requests = 0;
  #requestsBefore = 0;
  #usedAtMs: number;
  #pingedAtMs: number;
  #stuckSinceMs: number | undefined;
  /** Anything at all was answered. */
  hasAnswered = false;
  /** Its farewell was about our credential. */
  blamesUs = false;
  /** Requests of feeds under way. */
  fedInFlight = 0;

  private constructor(connection: Http2Connection, times: PoolTimes, onCapacity: () => void) {
    this.#connection = connection;
    this.#times = times;
    this.#onCapacity = onCapacity;
    this.#usedAtMs = performance.now();
    this.#pingedAtMs = this.#usedAtMs;
  }

  /** Answers how the connection went where it is gone already. Rejects with a `ConnectError`. */
  static async open(
    { times, ...options }: SessionOptions,
    events: SessionEvents,
  ): Promise<Session | Gone> {
    let session: Session | undefined;
    let goneBefore: Gone | undefined;
    const onGone = (gone: Gone) => {
      // A farewell may come in one packet with the settings: that is before we have what we made.
      if (session === undefined) goneBefore ??= gone;
      else events.onGone(session, gone);
    };
    const connection = await connectHttp2({
      ...options,
      timeoutMs: times.connectMs,
      events: {
        onCapacity: events.onCapacity,
        onGoaway: (goaway) => onGone({ reason: 'goaway', goaway }),
        onClose: (reason) => onGone({ reason }),
      },
    });
    if (goneBefore !== undefined) return goneBefore;
    session = new Session(connection, times, events.onCapacity);
    return session;
  }

  get capacity(): number {
    return this.#suspected ? 0 : this.#connection.capacity;
  }

  get inFlight(): number {
    return this.#connection.inFlight;
  }

  get maxStreams(): number {
    return this.#connection.maxStreams;
  }

  /** It was to take requests, and answered none. */
  get isUseless(): boolean {
    return !this.hasAnswered && (this.#requests > 0 || this.#stuckSinceMs !== undefined);
  }

  /** To be called where `capacity` is above 0. */
  request(request: Request): void {
    this.#connection.request(request);
    this.#requests += 1;
  }

  /** To be called with the end of every request that it took. */
  note(end: RequestEnd): void {
    if (end.kind === 'answered') {
      this.#silent = 0;
      this.hasAnswered = true;
      return;
    }
    if (end.kind !== 'ambiguous' || end.reason !== 'timeout') return;
    this.#silent += 1;
    if (this.#silent >= MAX_SILENT_REQUESTS) void this.#check(this.#times.suspicionPingMs);
  }

  /** To be called now and then: sees whether it is in use, and pings it where it is not. */
  keepAlive(nowMs: number): void {
    if (this.capacity > 0) this.#stuckSinceMs = undefined;
    if (this.inFlight > 0 || this.#requests > this.#requestsBefore) {
      this.#requestsBefore = this.#requests;
      this.#usedAtMs = nowMs;
    }
    if (nowMs - Math.max(this.#usedAtMs, this.#pingedAtMs) < this.#times.pingAfterIdleMs) return;
    this.#pingedAtMs = nowMs;
    void this.#check(this.#times.idlePingMs);
  }

  /** It was not seen in use for long. */
  isSpare(nowMs: number): boolean {
    return this.inFlight === 0 && nowMs - this.#usedAtMs > this.#times.spareMs;
  }

  /** To be called now and then while requests wait: it has had no room for long, though nothing is under way that would make some. */
  isStuck(nowMs: number): boolean {
    if (this.inFlight > 0 || this.capacity > 0 || this.#suspected) {
      this.#stuckSinceMs = undefined;
      return false;
    }
    this.#stuckSinceMs ??= nowMs;
    return nowMs - this.#stuckSinceMs > this.#times.stuckMs;
  }

  drain(): Promise<void> {
    return this.#connection.drain(this.#times.drainMs);
  }

  destroy(reason: string): void {
    this.#connection.destroy(reason);
  }

  async #check(timeoutMs: number): Promise<void> {
    if (this.#suspected) return;
    this.#suspected = true;
    if (!(await this.#connection.ping(timeoutMs))) return this.#connection.destroy('silence');
    this.#silent = 0;
    this.#suspected = false;
    this.#onCapacity();
  }
}

/** The one with the most room: load is spread, and a slow connection gets less of it. Undefined where none has any. */
export function pickSession(sessions: readonly Session[]): Session | undefined {
  let best: Session | undefined;
  let most = 0;
  for (const session of sessions) {
    const { capacity } = session;
    if (capacity > most) [best, most] = [session, capacity];
  }
  return best;
}
