import { randomUUID } from 'node:crypto';

import { createRunId, type Outcome } from '@heliograph/core';
import type { PlainDevices } from '@heliograph/db';
import type { Attempt } from '@heliograph/providers';
import { toMessage } from '@heliograph/testing';

import { ChunkFeed, type ChunkFeedDeps } from './chunk-feed.ts';
import { ChunkTodo } from './chunk-push.ts';

const SENT: Attempt = { outcome: { kind: 'sent' }, status: 200, endpoint: 'host' };
const refused = (limit: number): Attempt => ({
  outcome: {
    kind: 'requeue',
    reason: 'goaway',
    remedy: 'other_connection',
    limit,
    otherwise: { kind: 'retry', reason: 'goaway', backoff: 'connection', bound: 'expiry' },
  },
  endpoint: 'host',
});

function toPlain(count: number): PlainDevices {
  const indexes = Array.from({ length: count }, (_, n) => n);
  return {
    environment: null,
    indexes,
    pushTokens: indexes.map(() => randomUUID()),
    toDevice: () => {
      throw new Error('nobody is to ask for the device of a push that is simply sent');
    },
  };
}

function createFeed(count: number, deps: Partial<ChunkFeedDeps> = {}) {
  const todo = new ChunkTodo(
    { runId: createRunId(Date.now()), ordinal: 3 },
    { ...toMessage(1, 'user'), body: {} },
    'development',
  );
  todo.addPlain(toPlain(count));
  const settled: [index: number, kind: Outcome['kind']][] = [];
  const feed = new ChunkFeed({
    todo,
    mayOpen: () => true,
    isPaused: () => false,
    takePermit: () => true,
    onAnswer: () => undefined,
    settle: (push, _, outcome) => settled.push([push.index, outcome.kind]),
    ...deps,
  });
  return { feed, settled };
}

describe('the feed of a chunk', () => {
  test('gives each push once, and tells what came of it', () => {
    const { feed, settled } = createFeed(2);

    const pushes = [feed.next(), feed.next()];
    for (const push of pushes) if (push !== undefined) feed.settle(push, SENT);

    expect(feed.environment).toBe('development');
    expect(pushes.map((push) => push?.deliveryId.slice(-8))).toEqual(['00000bb9', '00000bba']);
    expect(feed.next()).toBeUndefined();
    expect(settled).toEqual([
      [0, 'sent'],
      [1, 'sent'],
    ]);
  });

  test('gives again what was not processed, up to the limit of its answer', () => {
    const { feed, settled } = createFeed(1);
    const given: unknown[] = [];

    for (let push = feed.next(); push !== undefined; push = feed.next()) {
      given.push(push);
      feed.settle(push, refused(2));
    }

    expect(given).toHaveLength(3);
    expect(new Set(given).size).toBe(1);
    expect(settled).toEqual([[0, 'retry']]);
  });

  test('gives nothing more once it may not, and keeps what is left', () => {
    let nowMs = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => (nowMs += 10));
    let mayOpen = true;
    const { feed } = createFeed(3, { mayOpen: () => mayOpen });
    feed.next();

    mayOpen = false;

    expect(feed.next()).toBeUndefined();
    expect(feed.drain().map((push) => push.index)).toEqual([1, 2]);
    expect(feed.drain()).toEqual([]);
    jest.restoreAllMocks();
  });

  test('keeps a push for which there was no permit', () => {
    let permits = 1;
    const { feed } = createFeed(2, { takePermit: () => permits-- > 0 });

    const first = feed.next();
    const none = feed.next();
    const wantedPermit = feed.wantsPermit;
    permits = 1;
    const second = feed.next();

    expect([first?.index, none, wantedPermit, second?.index]).toEqual([0, undefined, true, 1]);
    expect(feed.wantsPermit).toBe(false);
  });

  test('lets through a paused scope only what tries it out', () => {
    const { feed } = createFeed(1, { isPaused: () => true });

    expect(feed.next()).toBeUndefined();

    expect(feed.wantsPermit).toBe(false);
    expect(feed.drain()).toHaveLength(1);
  });

  test('is silent while nothing is asked of it or answered, also where it got no stream at all', () => {
    let nowMs = 1_000;
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const { feed } = createFeed(3);
    nowMs += 300;
    const unasked = feed.silentForMs();

    const push = feed.next();
    const asked = feed.silentForMs();
    nowMs += 700;
    const unanswered = feed.silentForMs();
    if (push !== undefined) feed.settle(push, SENT);

    expect([unasked, asked, unanswered, feed.silentForMs()]).toEqual([300, 0, 700, 0]);
    jest.restoreAllMocks();
  });

  test('is unanswered while nothing that it gave was answered', () => {
    const { feed } = createFeed(2);
    const before = feed.isUnanswered;

    const pushes = [feed.next(), feed.next()];
    if (pushes[0] !== undefined)
      feed.settle(pushes[0], { outcome: { kind: 'ambiguous', reason: 'timeout' }, endpoint: 'h' });
    const silent = feed.isUnanswered;
    if (pushes[1] !== undefined) feed.settle(pushes[1], SENT);

    expect([before, silent, feed.isUnanswered]).toEqual([false, true, false]);
  });
});
