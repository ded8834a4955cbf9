import type { PoolRequest, Unsent } from './pool-request.ts';
import { pickSession, type Session } from './session.ts';

/** Where requests come from, one at a time, as there is room for them. */
export interface Feed {
  /** The next one, or undefined where there is none now: then the feed is forgotten. */
  next(): PoolRequest | undefined;
  /** There is no way to send anything: the feed is forgotten. */
  stop(unsent: Unsent): void;
}

/** Feeds leave a quarter of the streams to single requests, which would wait for an answer otherwise. */
const FEED_SHARE = 0.75;
/** So many requests of a feed before it is another one's turn. */
const FEED_TURN = 32;
/** So many turns without a look at what else came in: some 64 requests, which take about half a millisecond. */
const TURNS_AT_ONCE = 2;

/** The feeds of a pool; they take turns. */
export class FeedLine {
  readonly #start: (session: Session, request: PoolRequest) => void;
  #feeds: Feed[] = [];

  constructor(start: (session: Session, request: PoolRequest) => void) {
    this.#start = start;
  }

  get length(): number {
    return this.#feeds.length;
  }

  push(feed: Feed): void {
    this.#feeds.push(feed);
  }

  /** All of them; none is left. */
  takeAll(): readonly Feed[] {
    const feeds = this.#feeds;
    this.#feeds = [];
    return feeds;
  }

  /**
   * Asks them for requests, for a part of the streams that are free. Answers whether there are more: the rest is for after whatever else
   * this process has to do, such as a single request on its way here. A few streams are worth it only when it is `dueAnyway`: else there
   * will soon be more, and what is sent together is written together.
   */
  serve(sessions: readonly Session[], dueAnyway: boolean): boolean {
    if (this.#feeds.length === 0) return false;
    if (!dueAnyway && isSoonMore(sessions)) return false;
    let room = toRoom(sessions);
    for (let turns = 0; this.#feeds.length > 0 && room > 0; turns += 1) {
      if (turns === TURNS_AT_ONCE) return true;
      const session = pickSession(sessions);
      const feed = session && this.#feeds.shift();
      if (session === undefined || feed === undefined) return false;
      if (this.#serveTurn(session, feed, Math.min(room, FEED_TURN))) this.#feeds.push(feed);
      room = toRoom(sessions);
    }
    return false;
  }

  /** Answers whether the feed may have more. */
  #serveTurn(session: Session, feed: Feed, limit: number): boolean {
    for (let n = 0; n < limit && session.capacity > 0; n += 1) {
      const request = feed.next();
      if (request === undefined) return false;
      request.isFed = true;
      session.fedInFlight += 1;
      this.#start(session, request);
    }
    return true;
  }
}

/** How many more requests of feeds may be under way. */
function toRoom(sessions: readonly Session[]): number {
  return toShare(sessions) - countFed(sessions);
}

/** Most of their streams are in use, so that answers will free some of them. */
function isSoonMore(sessions: readonly Session[]): boolean {
  const share = toShare(sessions);
  return share - countFed(sessions) < Math.min(FEED_TURN, share / 8);
}

function toShare(sessions: readonly Session[]): number {
  let streams = 0;
  for (const session of sessions) streams += session.maxStreams;
  return Math.max(1, Math.floor(streams * FEED_SHARE));
}

function countFed(sessions: readonly Session[]): number {
  let fed = 0;
  for (const session of sessions) fed += session.fedInFlight;
  return fed;
}
