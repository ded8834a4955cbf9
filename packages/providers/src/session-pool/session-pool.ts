import type { SecureContext } from 'node:tls';

import { ConnectError, type Goaway, type RequestEnd } from '@heliograph/http2';

import type { ProviderLog } from '../push-provider.ts';
import { ConnectBudget, CONNECT_LIMITS, type ConnectLimits } from './connect-budget.ts';
import { FeedLine, type Feed } from './feed-line.ts';
import type { PoolRequest, Unsent } from './pool-request.ts';
import { POOL_TIMES, type PoolTimes } from './pool-times.ts';
import { pickSession, Session, type Gone } from './session.ts';
import { Shortage } from './shortage.ts';
import type { ClientLoad } from '../shared-clients.ts';
import { WaitingLine } from './waiting-line.ts';

/*
 * The connections to one host with one credential. Single requests are sent first, and wait for a stream where there is none; feeds are asked for
 * requests while streams are free, in turns, and never get all of them. Another connection is opened where work waited for a second.
 */

export interface SessionPoolOptions {
  readonly url: URL;
  readonly secureContext: SecureContext;
  /** Connections at most. */
  readonly maxSessions: number;
  readonly log: ProviderLog;
  /** Why no new connection is worth a try after this farewell; undefined where one is. */
  readonly toFault?: (goaway: Goaway) => string | undefined;
  /** A connection was told to go away. */
  readonly onGoaway?: ((goaway: Goaway) => void) | undefined;
  readonly random?: () => number;
  readonly connectLimits?: ConnectLimits;
  readonly times?: Partial<PoolTimes>;
  /** Tests only: see `Shortage`. */
  readonly busyShare?: number;
}

/** Requests at once on a connection, also where the server allows more: APNs was seen to allow 500 to 1,500. */
const MAX_STREAMS = 1_500;
const MAX_WAITING = 10_000;
const WATCH_EVERY_MS = 100;

export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #times: PoolTimes;
  readonly #budget: ConnectBudget;
  readonly #waiting = new WaitingLine<PoolRequest>();
  readonly #feeds = new FeedLine((session, request) => this.#start(session, request));
  readonly #shortage: Shortage;
  /** Those that take requests. */
  #sessions: Session[] = [];
  /** All that are not closed, those included that only wait for answers. */
  readonly #closing = new Set<Promise<void>>();
  readonly #alive = new Set<Session>();
  readonly #keepAlive: NodeJS.Timeout;
  #connecting: Promise<void> | undefined;
  #watch: NodeJS.Timeout | undefined;
  /** Why there is no connection. */
  #lastUnsent: Unsent = NOT_CONNECTED;
  #inFlight = 0;
  #isGuarded = false;
  #pumpsAgain = false;
  #servesSoon = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: SessionPoolOptions) {
    this.#options = options;
    this.#times = { ...POOL_TIMES, ...options.times };
    this.#shortage = new Shortage(this.#times.saturatedMs, options.busyShare);
    this.#budget = new ConnectBudget(
      options.connectLimits ?? CONNECT_LIMITS,
      options.random ?? Math.random,
    );
    const { lookAtIdleMs } = this.#times;
    this.#keepAlive = setInterval(() => this.#keepSessionsAlive(), lookAtIdleMs).unref();
  }

  /** Answers are owed, or requests wait. */
  get busy(): boolean {
    return this.#inFlight > 0 || this.#isShort;
  }

  /** Connections that take requests. */
  get sessions(): number {
    return this.#sessions.length;
  }

  /** What is under way, on connections that go away too. */
  get load(): ClientLoad {
    let campaign = 0;
    for (const session of this.#alive) campaign += session.fedInFlight;
    return { sessions: this.#sessions.length, message: this.#inFlight - campaign, campaign };
  }

  /** Sends the request as soon as a stream is free, unless that is after its `waitsUntilMs`. */
  send(request: PoolRequest): void {
    if (this.#closed) return this.#settleLater(request, CLOSING);
    if (this.#waiting.length >= MAX_WAITING) return this.#settleLater(request, BUSY);
    this.#waiting.push(request);
    this.#pump();
  }

  /** Asks the feed for requests as streams are free, until it has none. */
  feed(feed: Feed): void {
    if (this.#closed) return setImmediateStop(feed, CLOSING);
    this.#feeds.push(feed);
    this.#pump();
  }

  /** Requests go over new connections from here on; the others are closed when the answers they owe are there. */
  replaceSession(session: Session, reason: string): void {
    // By the first of many answers that ask for it: the others came from a connection that is on its way out already.
    if (!this.#sessions.includes(session)) return;
    this.#retire(session, reason);
    this.#pump();
  }

  noteEnd(request: PoolRequest, end: RequestEnd): void {
    const { session } = request;
    this.#inFlight -= 1;
    if (session !== undefined) {
      if (request.isFed) session.fedInFlight -= 1;
      const isFirstAnswer = end.kind === 'answered' && !session.hasAnswered;
      // What it had to say of us when it went away stands.
      if (isFirstAnswer && !session.blamesUs) this.#noteSuccess();
      session.note(end);
    }
    request.settle(end);
    if (this.#inFlight === 0) this.#tellIdle();
  }

  /** Takes nothing more, waits for the answers owed, and closes. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#keepAlive);
    this.#failWaiting(CLOSING);
    await this.#connecting;
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    for (const session of this.#sessions.splice(0)) this.#close(session);
    await Promise.all(this.#closing);
    clearInterval(this.#watch);
  }

  /** Ends at once what is under way: who knows what became of it. */
  abandon(): void {
    this.#closed = true;
    this.#failWaiting(CLOSING);
    for (const session of this.#alive) session.destroy('aborted');
  }

  /** Single requests go at once; feeds once per turn of the event loop, however many reads freed streams in it. */
  #pump(): void {
    this.#guard(() => this.#sendWaiting());
    if (this.#feeds.length > 0) this.#serveSoon();
    this.#lookForShortage();
  }

  #serveSoon(): void {
    if (this.#servesSoon) return;
    this.#servesSoon = true;
    setImmediate(() => {
      this.#servesSoon = false;
      this.#serveFeeds(false);
    });
  }

  #serveFeeds(dueAnyway: boolean): void {
    let hasMore = false;
    this.#guard(() => {
      hasMore = this.#feeds.serve(this.#sessions, dueAnyway);
    });
    if (hasMore) this.#serveSoon();
    this.#lookForShortage();
  }

  /** What the work calls may hand over more: that waits for its end, so that nobody else takes a stream that was seen free. */
  #guard(work: () => void): void {
    if (this.#isGuarded) {
      this.#pumpsAgain = true;
      return;
    }
    this.#isGuarded = true;
    try {
      work();
    } finally {
      this.#isGuarded = false;
    }
    if (!this.#pumpsAgain) return;
    this.#pumpsAgain = false;
    this.#pump();
  }

  #lookForShortage(): void {
    if (this.#isShort) this.#growInTime();
    else this.#shortage.end();
  }

  get #isShort(): boolean {
    return this.#waiting.length > 0 || this.#feeds.length > 0;
  }

  #growInTime(): void {
    this.#watch ??= setInterval(() => this.#look(), WATCH_EVERY_MS);
    this.#grow(performance.now());
  }

  #sendWaiting(): void {
    if (this.#waiting.length === 0) return;
    // First, since a process that was stopped may find that it has no right to send any more.
    this.#dropLate(performance.now());
    while (this.#waiting.length > 0) {
      const session = pickSession(this.#sessions);
      if (session === undefined) return;
      const request = this.#waiting.shift();
      if (request !== undefined) this.#start(session, request);
    }
  }

  #dropLate(nowMs: number): void {
    for (let first = this.#waiting.first; first !== undefined; first = this.#waiting.first) {
      if (first.waitsUntilMs > nowMs) return;
      this.#waiting.shift();
      this.#settleLater(first, this.#sessions.length > 0 ? BUSY : this.#lastUnsent);
    }
  }

  #start(session: Session, request: PoolRequest): void {
    request.session = session;
    request.owner = this;
    this.#inFlight += 1;
    try {
      session.request(request);
    } catch (error) {
      // What can't stand in a header. It is not to take the others with it.
      this.#inFlight -= 1;
      if (request.isFed) session.fedInFlight -= 1;
      this.#options.log.warn({ err: error }, 'request could not be written');
      this.#settleLater(request, UNWRITABLE);
    }
  }

  /** Opens another connection where there is none, or where those that there are were too few for a while. */
  #grow(nowMs: number): void {
    if (this.#connecting !== undefined || this.#closed) return;
    if (this.#sessions.length >= this.#options.maxSessions) return;
    if (this.#sessions.length > 0) {
      if (!this.#shortage.isLong(nowMs)) return;
    } else if (this.#budget.isBackingOff(nowMs)) return this.#failWaiting(this.#lastUnsent);
    // The watch comes back where it is too early.
    if (this.#budget.take(nowMs) > 0) return;
    this.#connecting = this.#connect().finally(() => {
      this.#connecting = undefined;
      this.#pump();
    });
  }

  async #connect(): Promise<void> {
    const { url, secureContext, log } = this.#options;
    const host = url.hostname;
    const port = Number(url.port || 443);
    try {
      const session = await Session.open(
        { host, port, secureContext, maxStreams: MAX_STREAMS, times: this.#times },
        {
          onCapacity: () => this.#pump(),
          onGone: (gone, how) => this.#onGone(gone, how),
        },
      );
      if (!(session instanceof Session)) return this.#noteFailure(this.#toUnsent(session));
      this.#alive.add(session);
      this.#sessions.push(session);
      log.info({ host: url.host, connections: this.#sessions.length }, 'connection opened');
    } catch (error) {
      const known =
        error instanceof ConnectError ? error : new ConnectError('connect_failed', String(error));
      this.#noteFailure({ kind: 'unsent', reason: 'unreachable', error: known });
    }
  }

  #onGone(session: Session, gone: Gone): void {
    const { goaway } = gone;
    if (goaway !== undefined) {
      this.#options.onGoaway?.(goaway);
      this.#options.log.info({ host: this.#options.url.host, ...goaway }, 'connection goes away');
    }
    if (this.#sessions.includes(session)) {
      this.#sessions = this.#sessions.filter((one) => one !== session);
      this.#judge(session, gone);
      // Others will follow those that are in flight, and find a connection then.
      if (session.inFlight > 0 && this.#sessions.length === 0) this.#grow(performance.now());
    }
    if (goaway !== undefined) this.#close(session);
    else this.#alive.delete(session);
    if (this.#inFlight === 0) this.#tellIdle();
    this.#pump();
  }

  #judge(session: Session, gone: Gone): void {
    const unsent = this.#toUnsent(gone);
    if (unsent.error === undefined) {
      session.blamesUs = true;
      return this.#noteFailure(unsent);
    }
    // One that was of use is replaced at once, whatever became of attempts at more of them.
    if (!session.isUseless) return this.#budget.noteSuccess();
    this.#lastUnsent = unsent;
    this.#budget.noteUseless(performance.now());
  }

  #toUnsent({ reason, goaway }: Gone): Unsent {
    const fault = goaway && this.#options.toFault?.(goaway);
    if (fault !== undefined) return { kind: 'unsent', reason: fault };
    const error = new ConnectError(reason, `connection ended: ${reason}`);
    return { kind: 'unsent', reason: 'unreachable', error };
  }

  #noteFailure(unsent: Unsent): void {
    const { url, log } = this.#options;
    const { reason, error } = unsent;
    log.warn({ host: url.host, reason: error?.code ?? reason }, 'no connection');
    this.#lastUnsent = unsent;
    this.#budget.noteFailure(performance.now());
  }

  #noteSuccess(): void {
    this.#lastUnsent = NOT_CONNECTED;
    this.#budget.noteSuccess();
  }

  #retire(session: Session, reason: string): void {
    this.#sessions = this.#sessions.filter((one) => one !== session);
    this.#options.log.info({ host: this.#options.url.host, reason }, 'connection replaced');
    this.#close(session);
  }

  #close(session: Session): void {
    const closed = session.drain();
    this.#closing.add(closed);
    void closed.finally(() => this.#closing.delete(closed));
  }

  /** While something waits. */
  #look(): void {
    const nowMs = performance.now();
    for (const session of this.#sessions) if (session.isStuck(nowMs)) session.destroy('no_streams');
    this.#pump();
    this.#serveFeeds(true);
    if (this.#isShort) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  #failWaiting(unsent: Unsent): void {
    for (let one = this.#waiting.shift(); one !== undefined; one = this.#waiting.shift())
      this.#settleLater(one, unsent);
    for (const feed of this.#feeds.takeAll()) setImmediateStop(feed, unsent);
  }

  #settleLater(request: PoolRequest, unsent: Unsent): void {
    setImmediate(() => request.settle(unsent));
  }

  #keepSessionsAlive(): void {
    const nowMs = performance.now();
    for (const session of this.#sessions) {
      session.keepAlive(nowMs);
      if (this.#sessions.length > 1 && session.isSpare(nowMs)) this.#retire(session, 'idle');
    }
  }

  #tellIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}

const NOT_CONNECTED: Unsent = { kind: 'unsent', reason: 'unreachable' };
const BUSY: Unsent = { kind: 'unsent', reason: 'busy' };
const UNWRITABLE: Unsent = { kind: 'unsent', reason: 'unwritable' };
const CLOSING: Unsent = { kind: 'unsent', reason: 'closing' };

function setImmediateStop(feed: Feed, unsent: Unsent): void {
  setImmediate(() => feed.stop(unsent));
}
