import { RequestTemplate } from '@heliograph/http2';
import { eventually } from '@heliograph/testing';

import type { Push } from '../push-provider.ts';
import type { SessionPoolOptions } from '../session-pool/session-pool.ts';
import { STRICT, usePoolTests } from '../session-pool/test-pool.ts';
import type { Arrived, TestServer } from '../session-pool/test-server.ts';
import { createMessage, findFreePort } from '../test-fixtures.ts';
import { FleetTokens, type Minted, type ProviderTokens } from '../tokens/fleet-tokens.ts';
import { createMemoryTokenStore } from '../tokens/token-store.ts';
import { Engine } from './engine.ts';
import type { PushParts } from './push-request.ts';
import { TestPushFeed } from './test-push-feed.ts';

const { openServer, openPool } = usePoolTests();

const HOUR_MS = 3_600_000;
const LOG = { info: () => undefined, warn: () => undefined };
const UNSENT = { kind: 'retry', backoff: 'connection', bound: 'expiry' } as const;
const message = createMessage();
const range = (length: number) => Array.from({ length }, (_, n) => n);

let pushes = 0;
const createPush = (pushToken = 'token'): Push => ({
  deliveryId: String((pushes += 1)),
  pushToken,
  message,
  environment: 'production',
});
const createFeed = (length: number, pushToken?: string) =>
  new TestPushFeed(range(length).map(() => createPush(pushToken)));

function createTokens(mint: (signal: AbortSignal) => Promise<Minted>): ProviderTokens {
  return new FleetTokens({
    store: createMemoryTokenStore(),
    name: 'test',
    mint,
    lockMs: 10_000,
    nowMs: () => Date.now(),
    log: LOG,
  });
}

function toMinted(text: string, lifeMs = HOUR_MS): Minted {
  const nowMs = Date.now();
  const token = { text, issuedAtMs: nowMs, renewAtMs: nowMs + lifeMs, expiresAtMs: nowMs + lifeMs };
  return { token };
}

interface EngineOptions extends Partial<SessionPoolOptions> {
  readonly tokens?: ProviderTokens;
  readonly waitMs?: number;
}

function openEngine(server: Pick<TestServer, 'url'>, options: EngineOptions = {}) {
  const { tokens, waitMs = 60_000, ...poolOptions } = options;
  const endpoint = server.url.host;
  const engine = new Engine({
    pool: openPool({ url: server.url, ...poolOptions }),
    tokens,
    toOutcome: (_, { status }) => (status === 200 ? { kind: 'sent' } : AGAIN),
    toUnprocessed: () => AGAIN,
    toUnsentOutcome: ({ reason }) => ({ ...UNSENT, reason }),
    endpoint,
    waitMs,
  });
  return {
    engine,
    send: async (push: Push) => (await engine.send(push, toParts)).outcome,
    feed: (feed: TestPushFeed) => engine.feed(feed, toParts),
  };
}

const AGAIN = {
  kind: 'requeue',
  reason: 'again',
  remedy: 'other_connection',
  limit: 5,
  otherwise: { ...UNSENT, reason: 'again' },
} as const;

function toParts({ pushToken, deliveryId }: Push, bearer: string | undefined) {
  if (pushToken === 'unusable') return { outcome: UNUSABLE, endpoint: 'none' };
  if (pushToken === 'bug') throw new Error('a bug of ours');
  const parts: PushParts = {
    template: new RequestTemplate({
      method: 'POST',
      authority: 'localhost',
      shared: [],
      secret: bearer === undefined ? [] : [['authorization', bearer]],
    }),
    path: `/${pushToken}/${deliveryId}`,
    fields: [],
    body: '{}',
    deadlineMs: 60_000,
    bearer,
  };
  return parts;
}

const UNUSABLE = { kind: 'fail', reason: 'unusable' } as const;

describe('a feed', () => {
  test('ends once, when each of its pushes is settled', async () => {
    const server = await openServer(10);
    const { feed } = openEngine(server);
    const fed = createFeed(200);

    await feed(fed);

    expect(fed.outcomes).toEqual(range(200).map(() => ({ kind: 'sent' })));
    expect([...fed.attempts.values()].every((attempts) => attempts.length === 1)).toBe(true);
    expect([fed.inFlight, fed.stops, server.arrived.length]).toEqual([0, [], 200]);
  });

  test('goes on past a push of which no request can be made', async () => {
    const server = await openServer();
    const { feed } = openEngine(server);
    const fed = new TestPushFeed([createPush(), createPush('bug'), createPush()]);

    await feed(fed);

    expect(fed.outcomes.toSorted((a, b) => a.kind.localeCompare(b.kind))).toMatchObject([
      { kind: 'retry', reason: 'internal_error', bound: 'count' },
      { kind: 'sent' },
      { kind: 'sent' },
    ]);
    expect([fed.inFlight, server.arrived.length]).toEqual([0, 2]);
  });

  test('without a push ends without a request', async () => {
    const server = await openServer();
    const { feed } = openEngine(server);

    await feed(createFeed(0));

    expect(server.arrived).toEqual([]);
  });

  test('gives again what was not processed, also when it had no more', async () => {
    const server = await openServer(4);
    const refusedOnce = new Set<string>();
    server.onRequest = (request) => {
      if (refusedOnce.has(request.path)) return request.answer();
      refusedOnce.add(request.path);
      request.stream.close(7);
    };
    const { feed } = openEngine(server);
    const fed = createFeed(20);

    await feed(fed);

    expect(fed.outcomes).toEqual(range(20).map(() => ({ kind: 'sent' })));
    expect([...fed.attempts.values()].every((attempts) => attempts.length === 2)).toBe(true);
  });

  test('has those settled at once that need no request', async () => {
    const server = await openServer();
    const { feed } = openEngine(server);
    const fed = createFeed(5, 'unusable');

    await feed(fed);

    expect(fed.outcomes).toEqual(range(5).map(() => UNUSABLE));
    expect(server.arrived).toEqual([]);
  });

  test('shares the streams with another one', async () => {
    const server = await openServer(1);
    const { feed } = openEngine(server);
    const feeds = [createFeed(40, 'a'), createFeed(40, 'b')];

    await Promise.all(feeds.map(feed));

    expect(server.arrived.map(({ path }) => path.slice(1, 2)).join('')).toBe('ab'.repeat(40));
  });

  test.each([1, 8])('lets a single push go first, over %i streams', async (streams) => {
    const server = await openServer(streams);
    const { feed, send } = openEngine(server);
    const held: Arrived[] = [];
    server.onRequest = (request) => void held.push(request);
    const feeding = feed(createFeed(100, 'fed'));
    const fedAtOnce = Math.max(1, streams * 0.75);
    await eventually(() => expect(held).toHaveLength(fedAtOnce));

    const single = send(createPush('single'));
    // Over one stream it has to wait for the one answer that is owed, and for no other.
    if (streams === 1) held[0]?.answer();
    await eventually(() => expect(held).toHaveLength(fedAtOnce + 1));

    expect(held.at(-1)?.path).toMatch(/^\/single\//);
    server.onRequest = (request) => request.answer();
    for (const request of held) request.answer();
    expect(await single).toEqual({ kind: 'sent' });
    await feeding;
  });

  test('is stopped where there is no connection, and is not asked', async () => {
    const url = new URL(`https://127.0.0.1:${await findFreePort()}`);
    const { feed } = openEngine({ url }, { connectLimits: STRICT });
    const fed = createFeed(5);

    await feed(fed);

    expect(fed.stops).toEqual([{ ...UNSENT, reason: 'unreachable' }]);
    expect([fed.asked, fed.attempts.size]).toEqual([0, 0]);
  });

  test('that is stopped in the middle ends when what it gave is settled', async () => {
    const server = await openServer(4);
    const held: Arrived[] = [];
    server.onRequest = (request) => void held.push(request);
    const { feed, engine } = openEngine(server);
    const fed = createFeed(100);
    let ended = false;
    const feeding = feed(fed).then(() => (ended = true));
    await eventually(() => expect(held).toHaveLength(3));

    const closed = engine.close();
    await eventually(() => expect(fed.stops).toHaveLength(1));
    const endedEarly = ended;
    for (const request of held) request.answer();
    await Promise.all([feeding, closed]);

    expect(endedEarly).toBe(false);
    expect(fed.stops).toEqual([{ ...UNSENT, reason: 'closing' }]);
    expect(fed.outcomes).toEqual(range(3).map(() => ({ kind: 'sent' })));
    expect(fed.inFlight).toBe(0);
  });

  test('ends at once where the engine is abandoned', async () => {
    const server = await openServer(4);
    server.onRequest = () => undefined;
    const { feed, engine } = openEngine(server);
    const fed = createFeed(100);
    const feeding = feed(fed);
    await eventually(() => expect(server.arrived).toHaveLength(3));

    engine.abandon();
    await feeding;

    expect(fed.outcomes).toEqual(range(3).map(() => ({ kind: 'ambiguous', reason: 'aborted' })));
    expect(fed.stops).toHaveLength(1);
  });
});

describe('without a token at hand', () => {
  test('pushes wait for one, made once for all', async () => {
    const server = await openServer();
    let mints = 0;
    let give: (minted: Minted) => void = () => undefined;
    const tokens = createTokens(() => {
      mints += 1;
      return new Promise((resolve) => {
        give = resolve;
      });
    });
    const { feed, send } = openEngine(server, { tokens });
    const fed = createFeed(20);

    const feeding = feed(fed);
    const singles = range(5).map(() => send(createPush()));
    await eventually(() => expect(mints).toBe(1));
    const askedBefore = fed.asked;
    give(toMinted('T'));
    await feeding;

    expect(askedBefore).toBe(0);
    expect(await Promise.all(singles)).toEqual(range(5).map(() => ({ kind: 'sent' })));
    expect(server.arrived).toHaveLength(25);
    expect(new Set(server.arrived.map(({ headers }) => headers['authorization']))).toEqual(
      new Set(['T']),
    );
    expect(mints).toBe(1);
  });

  test('a feed is stopped where none can be had, and may be fed again', async () => {
    const server = await openServer();
    const pause = { kind: 'pause', reason: 'invalid_grant', scope: 'credential' } as const;
    let minted: Minted = { outcome: pause };
    const { feed } = openEngine(server, { tokens: createTokens(() => Promise.resolve(minted)) });
    const fed = createFeed(5);

    await feed(fed);
    const stops = [...fed.stops];
    minted = toMinted('T');
    await feed(fed);

    expect(stops).toEqual([pause]);
    expect(fed.stops).toEqual([pause]);
    expect(fed.outcomes).toEqual(range(5).map(() => ({ kind: 'sent' })));
  });

  test('a single push waits no longer than it may', async () => {
    const server = await openServer();
    const tokens = createTokens(() => new Promise(() => undefined));
    const { send } = openEngine(server, { tokens, waitMs: 20 });

    expect(await send(createPush())).toEqual({ ...UNSENT, reason: 'no_token' });
    expect(server.arrived).toEqual([]);
  });

  test('a feed does not ask on and on for tokens that have expired when they come', async () => {
    const server = await openServer();
    let mints = 0;
    const tokens = createTokens(() => {
      mints += 1;
      return Promise.resolve(toMinted('T', -1));
    });
    const { feed } = openEngine(server, { tokens });
    const fed = createFeed(5);

    await feed(fed);

    expect(fed.stops).toEqual([{ ...UNSENT, reason: 'no_token' }]);
    expect(mints).toBeLessThanOrEqual(2);
  });

  test('a feed that waits for one ends where the engine is abandoned', async () => {
    const server = await openServer();
    let mints = 0;
    const tokens = createTokens((signal) => {
      mints += 1;
      return new Promise((resolve) => {
        const outcome = { ...UNSENT, reason: 'given up' };
        signal.addEventListener('abort', () => resolve({ outcome }));
      });
    });
    const { feed, engine } = openEngine(server, { tokens });
    const fed = createFeed(5);
    const feeding = feed(fed);
    await eventually(() => expect(mints).toBe(1));

    engine.abandon();
    await feeding;

    expect(fed.stops).toEqual([{ ...UNSENT, reason: 'given up' }]);
  });
});

test('a push that comes after closing is not sent', async () => {
  const server = await openServer();
  const { send, feed, engine } = openEngine(server);
  await engine.close();
  const fed = createFeed(3);

  await feed(fed);

  expect(await send(createPush())).toEqual({ ...UNSENT, reason: 'closing' });
  expect(fed.stops).toEqual([{ ...UNSENT, reason: 'closing' }]);
  expect(server.sessions).toEqual([]);
});
