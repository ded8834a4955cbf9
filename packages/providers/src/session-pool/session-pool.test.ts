import { eventually } from '@heliograph/testing';

import { usePoolTests } from './test-pool.ts';
import { TestFeed, TestRequest } from './test-request.ts';
import type { Arrived } from './test-server.ts';

const { openServer, openPool } = usePoolTests();

const range = (length: number) => Array.from({ length }, (_, n) => n);

describe('single requests', () => {
  test('are all answered, each once', async () => {
    const server = await openServer();
    const pool = openPool(server);
    const requests = range(300).map((n) => new TestRequest(`/${n}`));

    for (const request of requests) pool.send(request);
    const ends = await Promise.all(requests.map(({ end }) => end));

    expect(new Set(ends.map(({ kind }) => kind))).toEqual(new Set(['answered']));
    expect(requests.every(({ settled }) => settled === 1)).toBe(true);
    expect(server.arrived.map(({ path }) => path).toSorted()).toEqual(
      requests.map(({ path }) => path).toSorted(),
    );
  });

  test('of which one can not be written leave the others alone, and the pool closes as ever', async () => {
    const server = await openServer();
    const pool = openPool(server);
    const [first, bad, last] = ['/1', '/not a path', '/2'].map((path) => new TestRequest(path));

    for (const request of [first, bad, last]) if (request !== undefined) pool.send(request);
    const ends = await Promise.all([first?.end, bad?.end, last?.end]);
    await pool.close();

    expect(ends).toMatchObject([
      { kind: 'answered' },
      { kind: 'unsent', reason: 'unwritable' },
      { kind: 'answered' },
    ]);
    expect(server.arrived.map(({ path }) => path)).toEqual(['/1', '/2']);
  });

  test('in a burst wait for the settings, and never exceed the one stream that they allow', async () => {
    const server = await openServer(1);
    const pool = openPool(server);
    const requests = range(50).map((n) => new TestRequest(`/${n}`));

    for (const request of requests) pool.send(request);
    const ends = await Promise.all(requests.map(({ end }) => end));

    expect(ends.filter(({ kind }) => kind === 'answered')).toHaveLength(50);
    expect(server.mostAtOnce).toBe(1);
    expect(server.arrived.map(({ path }) => path)).toEqual(requests.map(({ path }) => path));
  });

  test('use the streams that a server allows later, and no more than it allows after that', async () => {
    const server = await openServer(1);
    const pool = openPool(server);
    const held: Arrived[] = [];
    server.onRequest = (request) => {
      if (server.arrived.length > 1) return void held.push(request);
      request.session.settings({ maxConcurrentStreams: 1_000 });
      request.answer();
    };
    const requests = range(301).map((n) => new TestRequest(`/${n}`));

    for (const request of requests) pool.send(request);
    await eventually(() => expect(held).toHaveLength(300));
    await lowerTo(1, server.sessions[0]);
    server.onRequest = (request) => request.answer();
    server.mostAtOnce = 0;
    for (const request of held) request.answer();
    await Promise.all(requests.map(({ end }) => end));
    const later = range(30).map((n) => new TestRequest(`/later/${n}`));
    for (const request of later) pool.send(request);
    const ends = await Promise.all(later.map(({ end }) => end));

    expect(ends.filter(({ kind }) => kind === 'answered')).toHaveLength(30);
    expect(server.mostAtOnce).toBe(1);
    expect(server.sessions).toHaveLength(1);
  });

  test('wait no longer for a stream than they have patience', async () => {
    const server = await openServer(1);
    const pool = openPool(server);
    server.onRequest = () => undefined;
    pool.send(new TestRequest('/first'));
    await eventually(() => expect(server.arrived).toHaveLength(1));
    const impatient = new TestRequest('/impatient', { waitMs: 10 });

    pool.send(impatient);

    expect(await impatient.end).toEqual({ kind: 'unsent', reason: 'busy' });
    expect(server.arrived).toHaveLength(1);
  });

  test('are refused where ten thousand wait already', async () => {
    const server = await openServer(1);
    const pool = openPool(server);
    const waiting = range(10_000).map((n) => new TestRequest(`/${n}`));
    for (const request of waiting) pool.send(request);
    const oneTooMany = new TestRequest('/one-too-many');

    pool.send(oneTooMany);

    expect(oneTooMany.settled).toBe(0);
    expect(await oneTooMany.end).toEqual({ kind: 'unsent', reason: 'busy' });
    pool.abandon();
    await Promise.all(waiting.map(({ end }) => end));
    expect(waiting.every(({ settled }) => settled === 1)).toBe(true);
  });
});

describe('feeds', () => {
  test('are asked until they have no more, and then forgotten', async () => {
    const server = await openServer(10);
    const pool = openPool(server);
    const feed = new TestFeed('feed', 100);

    pool.feed(feed);
    await eventually(() => expect(feed.asked).toBe(101));
    await Promise.all(feed.given.map(({ end }) => end));
    await pool.close();

    expect(feed.asked).toBe(101);
    expect(feed.given.every(({ settled }) => settled === 1)).toBe(true);
    expect(server.arrived).toHaveLength(100);
  });

  test('take turns, also over a single stream', async () => {
    const server = await openServer(1);
    const pool = openPool(server);
    const feeds = [new TestFeed('a', 10), new TestFeed('b', 10), new TestFeed('c', 10)];

    for (const feed of feeds) pool.feed(feed);
    await eventually(() => expect(server.arrived).toHaveLength(30));

    const order = server.arrived.map(({ path }) => path.slice(1, 2)).join('');
    expect(order).toBe('abc'.repeat(10));
  });

  test('have about the same share of many streams, whoever came first', async () => {
    const server = await openServer(400);
    const pool = openPool(server);
    const held: Arrived[] = [];
    server.onRequest = (request) => void held.push(request);
    const feeds = [new TestFeed('a'), new TestFeed('b'), new TestFeed('c')];

    for (const feed of feeds) pool.feed(feed);
    await eventually(() => expect(held).toHaveLength(300));

    const shares = feeds.map(({ given }) => given.length);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(32);
  });

  test('leave a quarter of the streams to single requests', async () => {
    const server = await openServer(8);
    const pool = openPool(server);
    server.onRequest = () => undefined;
    pool.feed(new TestFeed('feed'));
    await eventually(() => expect(server.arrived).toHaveLength(6));

    pool.send(new TestRequest('/single/1'));
    pool.send(new TestRequest('/single/2'));

    await eventually(() => expect(server.arrived).toHaveLength(8));
    expect(server.arrived.slice(6).map(({ path }) => path)).toEqual(['/single/1', '/single/2']);
  });

  test('let single requests go first over the only stream', async () => {
    const server = await openServer(1);
    const pool = openPool(server);
    const feed = new TestFeed('feed');
    const single = new TestRequest('/single');
    let sentAt = 0;
    server.onRequest = (request) => {
      if (server.arrived.length === 20) {
        pool.send(single);
        sentAt = server.arrived.length;
      }
      request.answer();
    };

    pool.feed(feed);
    await single.end;
    feed.finish();

    expect(server.arrived.findIndex(({ path }) => path === '/single')).toBe(sentAt);
  });

  test('may hand over a single request while they are asked: nobody loses a stream to another', async () => {
    const server = await openServer(1);
    const pool = openPool(server);
    const singles: TestRequest[] = [];
    const feed = new TestFeed('feed', 20);
    feed.onNext = () => {
      const single = new TestRequest(`/single/${singles.length}`);
      singles.push(single);
      pool.send(single);
    };

    pool.feed(feed);
    await eventually(() => expect(server.arrived).toHaveLength(40));
    await Promise.all([...singles, ...feed.given].map(({ end }) => end));

    expect([...singles, ...feed.given].every(({ settled }) => settled === 1)).toBe(true);
  });

  test('are stopped by a pool that is closed', async () => {
    const server = await openServer();
    const pool = openPool(server);
    await pool.close();
    const feed = new TestFeed('feed');
    const request = new TestRequest('/');

    pool.feed(feed);
    pool.send(request);

    expect(await feed.stopped).toEqual({ kind: 'unsent', reason: 'closing' });
    expect(await request.end).toEqual({ kind: 'unsent', reason: 'closing' });
    expect(feed.asked).toBe(0);
  });
});

/** Resolves when the client has acknowledged it. */
async function lowerTo(
  maxConcurrentStreams: number,
  session: Arrived['session'] | undefined,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    session?.settings({ maxConcurrentStreams }, (error) => (error ? reject(error) : resolve()));
  });
}
