import { randomUUID } from 'node:crypto';

import {
  insertInboxMessage,
  listInboxAfter,
  listInboxBehind,
  type InboxNews,
  type InboxPosition,
} from '@heliograph/db';
import { eventually, makeApp, useTestDatabase } from '@heliograph/testing';

import { createInboxWatcher, type InboxStart, type InboxWatch } from './inbox-watcher.ts';
import { startStream } from './start-stream.ts';

const database = useTestDatabase();
let appRef: number;
let appId: string;

beforeAll(async () => {
  appRef = await makeApp(database.db);
  const app = database.db.selectFrom('apps').select('appId').where('id', '=', appRef);
  ({ appId } = await app.executeTakeFirstOrThrow());
});

const watches: InboxWatch[] = [];
afterEach(() => watches.splice(0).forEach((watch) => watch.stop()));

interface Options {
  readonly pollMs?: number;
  readonly maxStreams?: number;
  readonly maxStreamsPerUser?: number;
}

/** A watcher that finds nothing by polls unless told to, and what it read. */
function open(options: Options = {}) {
  const reads: (readonly InboxPosition[])[] = [];
  const errors: unknown[] = [];
  const failing: { now?: Error } = {};
  /** What reads wait for, once they know what they will answer. */
  const gate = { opened: Promise.resolve(), known: 0 };
  const watcher = createInboxWatcher({
    async read(positions, limit) {
      reads.push(positions.map(({ userId, after }) => ({ userId, after })));
      if (failing.now !== undefined) throw failing.now;
      const news = await listInboxAfter(database.db, positions, limit);
      gate.known += 1;
      await gate.opened;
      return news;
    },
    findBehind: (positions) => listInboxBehind(database.db, positions),
    onError: (error) => errors.push(error),
    pollMs: 3_600_000,
    maxStreams: 1000,
    ...options,
  });
  return { watcher, reads, errors, failing, gate };
}

type Opened = ReturnType<typeof open>;

/** Keeps what reads answer until it is told to pass it on. */
function close({ gate }: Opened): () => void {
  let pass = () => {};
  gate.opened = new Promise<void>((resolve) => {
    pass = resolve;
  });
  return pass;
}

/** Somebody who takes so many messages, and then no more until told. */
function listen({ watcher }: Opened, start: InboxStart, takes = Number.POSITIVE_INFINITY) {
  const seen: InboxNews[] = [];
  const passed: number[] = [];
  const state = { takes, closed: 0 };
  watcher.watch(start, (watch) => {
    watches.push(watch);
    return {
      isReady: () => seen.length < state.takes,
      onMessage: (message) => seen.push(message),
      onPassed: (sequence) => passed.push(sequence),
      onClosed: () => (state.closed += 1),
    };
  });
  const watch = watches.at(-1);
  if (watch === undefined) throw new Error('nobody listens');
  return { seen, passed, state, watch, sequences: () => seen.map(({ sequence }) => sequence) };
}

function startOf(userId: string, after = 0): InboxStart {
  return { userId, appRefs: [appRef], after };
}

async function store(userId: string, count = 1, appRefs = [appRef]): Promise<void> {
  for (let n = 0; n < count; n += 1)
    await insertInboxMessage(database.db, {
      id: randomUUID(),
      userId,
      appRefs,
      type: 'text',
      subject: 'a subject',
      summary: 'a summary',
      body: 'a whole body',
    });
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

describe('the inbox watcher', () => {
  test('tells what came between the look at the position and the watch, though its hint was too early', async () => {
    const opened = open();
    const userId = randomUUID();
    const { db } = database;

    const start = await startStream({ db }, { userId, applications: [appId] });
    await store(userId);
    opened.watcher.hint([userId]);
    const { sequences } = listen(opened, start);

    await eventually(() => expect(sequences()).toEqual([1]));
  });

  test('tells what is committed while it reads', async () => {
    const opened = open();
    const userId = randomUUID();
    const pass = close(opened);

    const { sequences } = listen(opened, startOf(userId));
    await eventually(() => expect(opened.gate.known).toBe(1));
    await store(userId);
    opened.watcher.hint([userId]);
    pass();

    await eventually(() => expect(sequences()).toEqual([1]));
  });

  test('reads page by page, in order, each once', async () => {
    const opened = open();
    const userId = randomUUID();
    await store(userId, 120);

    const { sequences } = listen(opened, startOf(userId, 7));

    await eventually(() => expect(sequences()).toEqual(upTo(120).slice(7)));
    await eventually(() =>
      expect(opened.reads.flat().map(({ after }) => after)).toEqual([7, 57, 107]),
    );
  });

  test('leaves out what is of other apps, and says how far it got', async () => {
    const opened = open();
    const other = await makeApp(database.db);
    const userId = randomUUID();
    await store(userId, 1, [other]);
    await store(userId, 1, [other, appRef]);
    await store(userId, 1, [other]);
    await store(userId, 1, [other]);

    const { sequences, passed } = listen(opened, startOf(userId));

    await eventually(() => expect([sequences(), passed]).toEqual([[2], [4]]));
  });

  test('reads once for all whose hints came while it was reading', async () => {
    const opened = open();
    const users = Array.from({ length: 150 }, () => randomUUID());
    const listeners = users.map((userId) => listen(opened, startOf(userId)));
    await eventually(() => expect(opened.reads).toHaveLength(2));
    for (const userId of users) await store(userId);
    const pass = close(opened);

    for (const userId of users) opened.watcher.hint([userId, userId]);
    for (const userId of users) opened.watcher.hint([userId]);
    pass();

    await eventually(() =>
      expect(listeners.map(({ sequences }) => sequences())).toEqual(users.map(() => [1])),
    );
    await eventually(() =>
      expect(opened.reads.slice(2).map((positions) => positions.length)).toEqual([1, 150]),
    );
  });

  test('bounds how many streams one query reads for', async () => {
    const opened = open();
    const users = Array.from({ length: 450 }, () => randomUUID());

    const listeners = users.map((userId) => listen(opened, startOf(userId)));
    for (const userId of users.slice(-2)) await store(userId);
    opened.watcher.hint(users);

    await eventually(() => expect(listeners.at(-1)?.sequences()).toEqual([1]));
    expect(Math.max(...opened.reads.map((positions) => positions.length))).toBe(200);
  });

  test('does not read for users whom nobody watches', async () => {
    const opened = open();
    const userId = randomUUID();
    const { watch } = listen(opened, startOf(userId));
    await eventually(() => expect(opened.reads).toHaveLength(1));

    opened.watcher.hint(['somebody else']);
    watch.stop();
    opened.watcher.hint([userId]);
    watch.wake();

    expect(opened.reads).toHaveLength(1);
  });

  test('keeps nothing for one who takes nothing, and goes on where it was once it wakes', async () => {
    const opened = open();
    const userId = randomUUID();
    await store(userId, 100);

    const slow = listen(opened, startOf(userId), 30);
    const quick = listen(opened, startOf(userId));
    await eventually(() => expect(quick.sequences()).toEqual(upTo(100)));
    const reads = opened.reads.length;
    opened.watcher.hint([userId]);
    await eventually(() => expect(opened.reads).toHaveLength(reads + 1));

    expect(slow.sequences()).toEqual(upTo(30));
    // Nobody asks the database for it meanwhile.
    expect(opened.reads.at(-1)).toEqual([{ userId, after: 100 }]);
    slow.state.takes = 1000;
    slow.watch.wake();
    await eventually(() => expect(slow.sequences()).toEqual(upTo(100)));
  });

  test('finds by its poll what no hint told', async () => {
    const opened = open({ pollMs: 20 });
    const [userId, idle] = [randomUUID(), randomUUID()];
    const { sequences } = listen(opened, startOf(userId));
    listen(opened, startOf(idle));

    await store(userId, 2);

    await eventually(() => expect(sequences()).toEqual([1, 2]));
    // The poll itself does not read for those who have nothing new.
    const ofIdle = opened.reads.flat().filter((position) => position.userId === idle);
    expect(ofIdle).toEqual([{ userId: idle, after: 0 }]);
  });

  test('tells all, once the database is back', async () => {
    const opened = open({ pollMs: 20 });
    const userId = randomUUID();
    const { sequences } = listen(opened, startOf(userId));
    opened.failing.now = new Error('away');

    await store(userId);
    opened.watcher.hint([userId]);
    await eventually(() => expect(opened.errors).toContain(opened.failing.now));
    delete opened.failing.now;

    await eventually(() => expect(sequences()).toEqual([1]));
  });

  test('refuses more streams than it may have, of all and of one user, until one ends', async () => {
    const opened = open({ maxStreams: 3, maxStreamsPerUser: 2 });
    const first = listen(opened, startOf('u'));
    listen(opened, startOf('u'));

    expect(() => listen(opened, startOf('u'))).toThrow('The user has 2 streams');
    listen(opened, startOf('v'));
    expect(() => listen(opened, startOf('w'))).toThrow('3 streams already');

    first.watch.stop();
    first.watch.stop();
    listen(opened, startOf('u'));
    expect(() => listen(opened, startOf('w'))).toThrow('3 streams already');
  });

  test('lets everyone go when it is closed, and takes nobody any more', () => {
    const opened = open();
    const { state } = listen(opened, startOf('u'));

    opened.watcher.close();

    expect(state.closed).toBe(1);
    expect(() => listen(opened, startOf('v'))).toThrow('about to stop');
  });
});
