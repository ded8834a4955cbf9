import type { RunTally } from '@heliograph/db';

import type { RunProgress } from './run-progress.ts';
import { createRunWatcher, type RunListener, type RunWatch } from './run-watcher.ts';

const POLL_MS = 1000;

/** A run that has sent so many; the test changes it as a dispatcher would. */
function progressOf(id: string, sent: number, finishedAt: Date | null = null): RunProgress {
  const counts = {
    targeted: 10,
    sent,
    pending: 10 - sent,
    failed: 0,
    expired: 0,
    skipped: 0,
    retrying: 0,
    ambiguous: 0,
  };
  const run: RunTally = {
    id,
    campaignId: 1,
    appId: '1',
    state: finishedAt === null ? 'running' : 'completed',
    reason: null,
    dryRun: false,
    ratePerSecond: null,
    canaryPercent: null,
    maxFailurePercent: null,
    createdAt: new Date(0),
    startAt: new Date(0),
    startedAt: new Date(0),
    materialisedAt: new Date(0),
    approvedAt: null,
    finishedAt,
    devicesPurgedAt: null,
    users: 10,
    usersWithoutDevice: 0,
    measuredRate: 0,
    counts: [],
    exclusions: [],
  };
  return {
    run,
    counts: { apns: counts, fcm: counts, total: counts },
    unsent: [],
    etaSeconds: null,
  };
}

/** The runs as they are, what was read of them, and a watcher over them. */
function open(options: { readonly maxWatches?: number } = {}) {
  const runs = new Map<string, RunProgress>();
  const reads: (readonly string[])[] = [];
  const errors: unknown[] = [];
  const failing: { now?: Error } = {};
  const watcher = createRunWatcher({
    async read(ids) {
      reads.push(ids);
      if (failing.now !== undefined) throw failing.now;
      return ids.flatMap((id) => runs.get(id) ?? []);
    },
    onError: (error) => errors.push(error),
    pollMs: POLL_MS,
    ...options,
  });
  const set = (id: string, sent: number, finishedAt: Date | null = null) => {
    const progress = progressOf(id, sent, finishedAt);
    runs.set(id, progress);
    return progress;
  };
  return { watcher, reads, errors, failing, set };
}

/** Somebody who writes down what they hear. */
function listen(ready = { now: true }) {
  const heard: (number | 'over' | 'closed')[] = [];
  const ends: RunWatch[] = [];
  const openListener = (watch: RunWatch): RunListener => {
    ends.push(watch);
    return {
      isReady: () => ready.now,
      onProgress: ({ counts }) => heard.push(counts.total.sent),
      onOver: () => heard.push('over'),
      onClosed: () => heard.push('closed'),
    };
  };
  return {
    heard,
    ready,
    openListener,
    wake: () => ends[0]?.wake(),
    stop: () => ends[0]?.stop(),
  };
}

const tick = () => jest.advanceTimersByTimeAsync(POLL_MS);

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a watcher of runs', () => {
  test('tells the progress at once, and then whenever it changed', async () => {
    const { watcher, set } = open();
    const one = listen();

    watcher.watch(set('a', 1), one.openListener);
    const atOnce = [...one.heard];
    await tick();
    set('a', 2);
    await tick();
    await tick();

    expect(atOnce).toEqual([1]);
    expect(one.heard).toEqual([1, 2]);
  });

  test('reads all runs in one query, each once, however many watch', async () => {
    const { watcher, set, reads } = open();
    const [a, b] = [set('a', 1), set('b', 1)];

    for (let n = 0; n < 50; n += 1) watcher.watch(n % 2 === 0 ? a : b, listen().openListener);
    await tick();
    await tick();

    expect(reads).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  test('reads nothing before the first and after the last who watches', async () => {
    const { watcher, set, reads } = open();
    const [one, other] = [listen(), listen()];

    await tick();
    watcher.watch(set('a', 1), one.openListener);
    watcher.watch(set('a', 1), other.openListener);
    one.stop();
    one.stop();
    await tick();
    other.stop();
    await tick();

    expect(reads).toEqual([['a']]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('tells the end after the last progress, and reads a run that is over no more', async () => {
    const { watcher, set, reads } = open();
    const one = listen();

    watcher.watch(set('a', 1), one.openListener);
    set('a', 10, new Date(1));
    await tick();
    await tick();

    expect(one.heard).toEqual([1, 10, 'over']);
    expect(reads).toHaveLength(1);
  });

  test('tells who is not ready nothing, and later only what is then', async () => {
    const { watcher, set } = open();
    const slow = listen({ now: false });

    watcher.watch(set('a', 1), slow.openListener);
    set('a', 2);
    await tick();
    set('a', 3);
    await tick();
    const before = [...slow.heard];
    slow.ready.now = true;
    slow.wake();
    slow.wake();

    expect(before).toEqual([]);
    expect(slow.heard).toEqual([3]);
  });

  test('lets nobody who is not ready miss the end', async () => {
    const { watcher, set } = open();
    const slow = listen({ now: false });

    watcher.watch(set('a', 1), slow.openListener);
    set('a', 10, new Date(1));
    await tick();
    slow.ready.now = true;
    slow.wake();

    expect(slow.heard).toEqual([10, 'over']);
  });

  test('goes on after a database that was away', async () => {
    const { watcher, set, errors, failing } = open();
    const one = listen();

    watcher.watch(set('a', 1), one.openListener);
    failing.now = new Error('away');
    await tick();
    delete failing.now;
    set('a', 2);
    await tick();

    expect(errors).toHaveLength(1);
    expect(one.heard).toEqual([1, 2]);
  });

  test('refuses more than it has room for, until somebody goes', () => {
    const { watcher, set } = open({ maxWatches: 1 });
    const [one, other] = [listen(), listen()];
    const run = set('a', 1);

    watcher.watch(run, one.openListener);
    expect(() => watcher.watch(run, other.openListener)).toThrow('1 watchers');
    one.stop();
    watcher.watch(run, other.openListener);

    expect(other.heard).toEqual([1]);
  });

  test('lets everybody go when it is closed, and takes nobody then', () => {
    const { watcher, set } = open();
    const one = listen();

    watcher.watch(set('a', 1), one.openListener);
    watcher.close();

    expect(one.heard).toEqual([1, 'closed']);
    expect(() => watcher.watch(set('a', 1), listen().openListener)).toThrow('about to stop');
  });
});
