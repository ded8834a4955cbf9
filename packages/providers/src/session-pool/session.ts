import {
  connectHttp2,
  type ConnectOptions,
  type Goaway,
  type Http2Connection,
  type Request,
  type RequestEnd,
} from '@heliograph/http2';

/** A request that was silent to its deadline is the connection's fault where others before it were, too. */
const MAX_SILENT_REQUESTS = 3;
const SUSPICION_PING_MS = 5_000;
/** A NAT or load balancer may forget a connection that is idle for longer. */
const PING_AFTER_IDLE_MS = 60_000;
const IDLE_PING_MS = 10_000;
/** For answers that are owed when a connection goes away. */
export const DRAIN_MS = 10_000;

export interface SessionEvents {
  readonly onCapacity: () => void;
  readonly onGoaway: (goaway: Goaway) => void;
  /** It takes no more requests: `goaway`, where answers are still owed, or it is closed. */
  readonly onGone: (session: Session, reason: string) => void;
}

/**
 * A connection and how it fares. One that leaves requests in a row without an answer is asked whether it is there, and takes none
 * until it says so.
 */
export class Session {
  readonly #connection: Http2Connection;
  readonly #onCapacity: () => void;
  #silent = 0;
  #suspected = false;
  #requests = 0;
  #requestsBefore = 0;
  #usedAtMs: number;
  #pingedAtMs: number;
  /** Anything at all was answered: it is of use. */
  hasAnswered = false;

  private constructor(connection: Http2Connection, onCapacity: () => void) {
    this.#connection = connection;
    this.#onCapacity = onCapacity;
    this.#usedAtMs = performance.now();
    this.#pingedAtMs = this.#usedAtMs;
  }

  /** Rejects with a `ConnectError`. */
  static async open(
    options: Omit<ConnectOptions, 'events'>,
    events: SessionEvents,
  ): Promise<Session> {
    let session: Session | undefined;
    const gone = (reason: string) => {
      if (session !== undefined) events.onGone(session, reason);
    };
    const connection = await connectHttp2({
      ...options,
      events: {
        onCapacity: events.onCapacity,
        onGoaway: (goaway) => {
          events.onGoaway(goaway);
          gone('goaway');
        },
        onClose: gone,
      },
    });
    session = new Session(connection, events.onCapacity);
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

  /** When it was last seen in use. */
  get usedAtMs(): number {
    return this.#usedAtMs;
  }

  request(request: Request): boolean {
    if (this.#suspected || !this.#connection.request(request)) return false;
    this.#requests += 1;
    return true;
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
    if (this.#silent >= MAX_SILENT_REQUESTS) void this.#check(SUSPICION_PING_MS);
  }

  /** To be called now and then: sees whether it is in use, and pings it where it is not. */
  keepAlive(nowMs: number): void {
    if (this.inFlight > 0 || this.#requests > this.#requestsBefore) {
      this.#requestsBefore = this.#requests;
      this.#usedAtMs = nowMs;
    }
    if (nowMs - Math.max(this.#usedAtMs, this.#pingedAtMs) < PING_AFTER_IDLE_MS) return;
    this.#pingedAtMs = nowMs;
    void this.#check(IDLE_PING_MS);
  }

  drain(): Promise<void> {
    return this.#connection.drain(DRAIN_MS);
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
