import { Refusal } from '@heliograph/core';
import type { InboxNews, InboxPosition } from '@heliograph/db';

/** Where a stream begins. */
export interface InboxStart extends InboxPosition {
  /** It shows the messages of these apps. */
  readonly appRefs: readonly number[];
}

/** Somebody who watches a user's inbox. */
export interface InboxListener {
  /** Whether it takes anything now. One that did not gets what it missed once it calls `wake`. */
  isReady(): boolean;
  onMessage(message: InboxNews): void;
  /** All up to this number were looked at, and the last ones were of other apps. */
  onPassed(sequence: number): void;
  /** Nothing more will come from this process. */
  onClosed(): void;
}

/** A listener's own end of its watch. */
export interface InboxWatch {
  wake(): void;
  stop(): void;
}

export interface InboxWatcher {
  /** Streams that are open. */
  readonly size: number;
  /** Refuses when it has no place for one more stream of the user: to be asked before anything is looked up for it. */
  refuseWhenFull(userId: string): void;
  /**
   * Tells the listener every message of its apps after `start`, in their order, each once, those that are there and those that come.
   * Refuses when it has no place, before it opens the listener.
   */
  watch(start: InboxStart, open: (watch: InboxWatch) => InboxListener): void;
  /** These users have a message. */
  hint(userIds: readonly string[]): void;
  /** Lets everyone go who still watches. */
  close(): void;
}

export interface InboxWatcherDeps {
  /** See `listInboxAfter`. */
  readonly read: (
    positions: readonly InboxPosition[],
    limit: number,
  ) => Promise<readonly InboxNews[]>;
  /** See `listInboxBehind`. */
  readonly findBehind: (positions: readonly InboxPosition[]) => Promise<readonly number[]>;
  readonly onError: (error: unknown) => void;
  readonly pollMs?: number | undefined;
  readonly maxStreams: number;
  readonly maxStreamsPerUser?: number | undefined;
  /** A stream was refused because there are too many. */
  readonly onFull?: () => void;
}

/** How often to look where no hint came: hints may get lost. */
const POLL_MS = 3000;
const MAX_STREAMS_PER_USER = 20;
/** Together they bound what one query brings into memory. */
const MAX_STREAMS_PER_READ = 200;
const MAX_MESSAGES_PER_READ = 50;

interface Stream {
  readonly userId: string;
  readonly appRefs: ReadonlySet<number>;
  /** All up to it were told. */
  after: number;
  readonly listener: InboxListener;
}

/**
 * Watches inboxes on behalf of all callers of this process. One query at a time reads for the streams that want it: those whose user was
 * hinted while the query before was under way share the next one. Every few seconds one query over all of them finds what no hint told.
 */
export function createInboxWatcher(deps: InboxWatcherDeps): InboxWatcher {
  const { read, findBehind, onError, maxStreams } = deps;
  const { pollMs = POLL_MS, maxStreamsPerUser = MAX_STREAMS_PER_USER } = deps;
  const streams = new Map<string, Set<Stream>>();
  /** Those that may have something to read, whoever waits longest first. */
  const wanted = new Set<Stream>();
  let watching = 0;
  let isReading = false;
  let isPolling = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    if (isReading) return;
    isReading = true;
    try {
      for (let next = takeNext(); next.length > 0; next = takeNext()) {
        const news = await read(next, MAX_MESSAGES_PER_READ);
        const pages = next.map((): InboxNews[] => []);
        for (const message of news) pages[message.position]?.push(message);
        next.forEach((stream, position) => tell(stream, pages[position] ?? []));
      }
    } catch (error) {
      // The database is away: the next poll finds who is behind.
      onError(error);
    } finally {
      isReading = false;
    }
  }

  function takeNext(): Stream[] {
    const next: Stream[] = [];
    for (const stream of wanted) {
      if (next.length === MAX_STREAMS_PER_READ) break;
      wanted.delete(stream);
      if (isOpen(stream) && stream.listener.isReady()) next.push(stream);
    }
    return next;
  }

  function tell(stream: Stream, page: readonly InboxNews[]): void {
    const { listener, appRefs } = stream;
    let isTold = true;
    for (const message of page) {
      // It was taken as far as it is told; the rest is read again when it wakes.
      if (!isOpen(stream) || !listener.isReady()) return;
      stream.after = message.sequence;
      isTold = message.appRefs.some((ref) => appRefs.has(ref));
      if (isTold) listener.onMessage(message);
    }
    if (!isTold) listener.onPassed(stream.after);
    if (page.length === MAX_MESSAGES_PER_READ) wanted.add(stream);
  }

  function want(some: Iterable<Stream>): void {
    for (const stream of some) wanted.add(stream);
    if (wanted.size > 0) void look();
  }

  async function poll(): Promise<void> {
    if (isPolling) return;
    isPolling = true;
    try {
      const all = [...streams.values()].flatMap((some) => [...some]);
      const ready = all.filter(({ listener }) => listener.isReady());
      const behind = new Set(await findBehind(ready));
      want(ready.filter((_, position) => behind.has(position)));
    } catch (error) {
      onError(error);
    } finally {
      isPolling = false;
    }
  }

  function isOpen(stream: Stream): boolean {
    return streams.get(stream.userId)?.has(stream) === true;
  }

  function add(stream: Stream): void {
    const others = streams.get(stream.userId) ?? new Set();
    streams.set(stream.userId, others.add(stream));
    watching += 1;
    timer ??= setInterval(() => void poll(), pollMs);
  }

  function remove(stream: Stream): void {
    const others = streams.get(stream.userId);
    if (others?.delete(stream) !== true) return;
    if (others.size === 0) streams.delete(stream.userId);
    wanted.delete(stream);
    watching -= 1;
    if (watching > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  function refuseWhenFull(userId: string): void {
    if (isClosed) throw new Refusal('unavailable', 'This server is about to stop.');
    if (watching >= maxStreams) {
      deps.onFull?.();
      throw new Refusal('unavailable', `This server has ${maxStreams} streams already.`);
    }
    if ((streams.get(userId)?.size ?? 0) >= maxStreamsPerUser)
      throw new Refusal('unavailable', `The user has ${maxStreamsPerUser} streams here already.`);
  }

  return {
    get size() {
      return watching;
    },

    refuseWhenFull,

    watch({ userId, appRefs, after }, open) {
      refuseWhenFull(userId);
      const listener = open({
        wake() {
          if (isOpen(stream)) want([stream]);
        },
        stop: () => remove(stream),
      });
      const stream: Stream = { userId, appRefs: new Set(appRefs), after, listener };
      add(stream);
      // What came since `after` was read was hinted before we listened.
      want([stream]);
    },

    hint(userIds) {
      want(userIds.flatMap((userId) => [...(streams.get(userId) ?? [])]));
    },

    close() {
      isClosed = true;
      for (const some of streams.values()) for (const { listener } of some) listener.onClosed();
    },
  };
}
