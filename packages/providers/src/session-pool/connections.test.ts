import { constants } from 'node:http2';

import { ConnectError } from '@heliograph/http2';
import { eventually } from '@heliograph/testing';

import { findFreePort } from '../test-fixtures.ts';
import type { PoolEnd } from './pool-request.ts';
import { QUICK, STRICT, usePoolTests } from './test-pool.ts';
import { TestFeed, TestRequest } from './test-request.ts';
import type { Arrived, TestServer } from './test-server.ts';

const { openServer, openRawServer, openWire, openPool } = usePoolTests();

const range = (length: number) => Array.from({ length }, (_, n) => n);
const SETTINGS_AND_GOAWAY = '0000000400000000000000080700000000000000000000000000';
const FAREWELL = Buffer.from('{"reason":"Farewell"}');

/** Answers nothing, and keeps what arrives. */
function hold(server: TestServer): Arrived[] {
  const held: Arrived[] = [];
  server.onRequest = (request) => void held.push(request);
  return held;
}

function sendOne(pool: ReturnType<typeof openPool>, path = '/'): Promise<PoolEnd> {
  const request = new TestRequest(path);
  pool.send(request);
  return request.end;
}

const toUnreachable = (code: string): PoolEnd => ({
  kind: 'unsent',
  reason: 'unreachable',
  error: expect.objectContaining({ code }) as ConnectError,
});

describe('another connection', () => {
  test('is opened where work waits, until there are as many as may be', async () => {
    const server = await openServer(1);
    const held = hold(server);
    const pool = openPool({ ...server, maxSessions: 3, times: { saturatedMs: 20 } });
    const requests = range(4).map((n) => new TestRequest(`/${n}`));

    for (const request of requests) pool.send(request);
    await eventually(() => expect(held).toHaveLength(3));
    server.onRequest = (request) => request.answer();
    for (const request of held) request.answer();
    const ends = await Promise.all(requests.map(({ end }) => end));

    expect(ends.filter(({ kind }) => kind === 'answered')).toHaveLength(4);
    expect(server.sessions).toHaveLength(3);
    expect(pool.sessions).toBe(3);
  });

  test('is closed again when it is spare for long, but for the last', async () => {
    const server = await openServer(1);
    const held = hold(server);
    const pool = openPool({
      ...server,
      maxSessions: 3,
      times: { saturatedMs: 20, spareMs: 50, lookAtIdleMs: 20 },
    });
    for (const n of range(3)) pool.send(new TestRequest(`/${n}`));
    await eventually(() => expect(held).toHaveLength(3));

    for (const request of held) request.answer();

    await eventually(() => expect(server.openSessions).toBe(1));
    expect(await sendOneAnswered(pool, server)).toBe(true);
    expect(server.sessions).toHaveLength(3);
  });
});

describe('a farewell', () => {
  test('has a replacement opened at once, while answers are still owed', async () => {
    const server = await openServer();
    const held = hold(server);
    const wire = await openWire(server.url);
    const pool = openPool({ ...server, url: new URL(wire.url) });
    const owed = sendOne(pool);
    await eventually(() => expect(held).toHaveLength(1));

    held[0]?.session.goaway(constants.NGHTTP2_NO_ERROR);
    await eventually(() => expect(server.sessions).toHaveLength(2));
    held[0]?.answer();

    expect(await owed).toMatchObject({ kind: 'answered', status: 200 });
    await eventually(() => expect(wire.open).toBe(1));
    expect(wire.connections).toBe(2);
  });

  test('refuses what it names, and nothing else', async () => {
    const server = await openServer();
    const held = hold(server);
    const pool = openPool(server);
    const ends = range(10).map((n) => sendOne(pool, `/${n}`));
    await eventually(() => expect(held).toHaveLength(10));

    // The ids of streams are 1, 3, 5, …
    held[0]?.session.goaway(constants.NGHTTP2_NO_ERROR, 7);
    for (const request of held.slice(0, 4)) request.answer();

    expect((await Promise.all(ends)).map(({ kind }) => kind)).toEqual([
      ...range(4).map(() => 'answered'),
      ...range(6).map(() => 'unprocessed'),
    ]);
  });

  test('gives answers so much time and no more', async () => {
    const server = await openServer();
    const held = hold(server);
    const pool = openPool({ ...server, times: { drainMs: 50 } });
    const owed = sendOne(pool);
    await eventually(() => expect(held).toHaveLength(1));

    held[0]?.session.goaway(constants.NGHTTP2_NO_ERROR);

    expect(await owed).toEqual({ kind: 'ambiguous', reason: 'closing' });
  });

  test('that is our fault is not answered with another connection', async () => {
    const server = await openServer();
    const held = hold(server);
    const pool = openPool({
      ...server,
      connectLimits: STRICT,
      toFault: ({ debug }) => debug,
    });
    const feed = new TestFeed('feed');
    const first = sendOne(pool);
    await eventually(() => expect(held).toHaveLength(1));
    held[0]?.session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1, FAREWELL);
    await eventually(() => expect(pool.sessions).toBe(0));
    held[0]?.answer();
    await first;

    pool.feed(feed);
    const next = sendOne(pool);

    const fault = { kind: 'unsent', reason: '{"reason":"Farewell"}' };
    expect(await next).toEqual(fault);
    expect(await feed.stopped).toEqual(fault);
    expect(server.sessions).toHaveLength(1);
  });

  test('that was our fault is forgotten once there is an answer again', async () => {
    const server = await openServer();
    const wire = await openWire(server.url);
    const url = new URL(wire.url);
    let fault: string | undefined = 'BadCertificate';
    const pool = openPool({ ...server, url, toFault: () => fault });
    await sendOne(pool);
    server.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR);
    await eventually(() => expect(pool.sessions).toBe(0));
    fault = undefined;
    await eventually(async () => expect((await sendOne(pool)).kind).toBe('answered'));
    await wire.close();
    await eventually(() => expect(pool.sessions).toBe(0));
    await openWire(undefined, Number(url.port));
    const impatient = new TestRequest('/impatient', { waitMs: 20 });

    pool.send(impatient);

    expect(await impatient.end).toEqual({ kind: 'unsent', reason: 'unreachable' });
  });

  test('in one packet with the settings is a connection that failed', async () => {
    const farewells = await openRawServer(SETTINGS_AND_GOAWAY);
    const pool = openPool({ url: farewells.url, connectLimits: STRICT });

    const end = await sendOne(pool);
    const next = await sendOne(pool);

    expect([end, next]).toEqual([toUnreachable('goaway'), toUnreachable('goaway')]);
    expect(pool.sessions).toBe(0);
    expect(farewells.connections).toBe(1);
  });
});

describe('a connection that fails', () => {
  test('stops what waits, and is not tried again at once', async () => {
    const port = await findFreePort();
    const pool = openPool({ url: new URL(`https://127.0.0.1:${port}`), connectLimits: STRICT });
    const feed = new TestFeed('feed');

    pool.feed(feed);
    const ends = await Promise.all([sendOne(pool), sendOne(pool)]);
    const later = await sendOne(pool);

    const refused = toUnreachable('ECONNREFUSED');
    expect([...ends, later]).toEqual([refused, refused, refused]);
    expect(await feed.stopped).toEqual(refused);
    expect(feed.asked).toBe(0);
  });

  test('is tried again after a while', async () => {
    const server = await openServer();
    const pool = openPool(server);
    await sendOne(pool);
    const { port } = server.url;
    await server.close();
    await eventually(async () => {
      expect(await sendOne(pool)).toEqual(toUnreachable('ECONNREFUSED'));
    });

    const wire = await openWire((await openServer()).url, Number(port));
    await eventually(async () => expect((await sendOne(pool)).kind).toBe('answered'));

    expect(wire.connections).toBe(1);
  });

  test('says so when the server never speaks', async () => {
    const wire = await openWire();
    const pool = openPool({
      url: new URL(wire.url),
      connectLimits: STRICT,
      times: { connectMs: 50 },
    });

    expect(await sendOne(pool)).toEqual(toUnreachable('ETIMEDOUT'));
  });

  test('twice without an answer in between is left alone for a while', async () => {
    const server = await openServer();
    server.onRequest = ({ session }) => session.destroy();
    const pool = openPool({ ...server, connectLimits: STRICT });

    const ends = [await sendOne(pool), await sendOne(pool), await sendOne(pool)];

    expect(ends.map(({ kind }) => kind)).toEqual(['ambiguous', 'ambiguous', 'unsent']);
    expect(server.sessions).toHaveLength(2);
  });

  test('is opened anew at once where it had been of use, though more of them could not be had', async () => {
    const server = await openServer(1);
    const held = hold(server);
    const wire = await openWire(server.url);
    const pool = openPool({
      ...server,
      url: new URL(wire.url),
      maxSessions: 2,
      connectLimits: STRICT,
      times: { saturatedMs: 20 },
    });
    const first = sendOne(pool);
    await eventually(() => expect(held).toHaveLength(1));
    held[0]?.answer();
    await first;
    wire.refuse(true);
    const owed = sendOne(pool);
    const waiting = sendOne(pool);
    await eventually(() => expect(wire.connections).toBe(2));

    wire.refuse(false);
    held[1]?.session.destroy();
    await owed;
    await eventually(() => expect(held).toHaveLength(3));
    held[2]?.answer();

    expect(await waiting).toMatchObject({ kind: 'answered' });
  });

  test('goes no further than a server that never allows a stream', async () => {
    const server = await openServer(0);
    const pool = openPool({ ...server, connectLimits: STRICT, times: { stuckMs: 20 } });
    const feed = new TestFeed('feed');

    pool.feed(feed);

    expect(await feed.stopped).toEqual(toUnreachable('no_streams'));
    expect(server.sessions).toHaveLength(2);
    expect(feed.asked).toBe(0);
  });
});

describe('a silent connection', () => {
  const silent = () => new TestRequest('/silent', { deadlineMs: 50 });

  test('is asked after three requests without an answer, and replaced where it says nothing', async () => {
    const server = await openServer();
    const wire = await openWire(server.url);
    const pool = openPool({
      ...server,
      url: new URL(wire.url),
      times: { suspicionPingMs: 50 },
    });
    await sendOne(pool);
    wire.freeze();
    const patient = sendOne(pool, '/patient');
    const requests = range(3).map(silent);

    for (const request of requests) pool.send(request);
    const ends = await Promise.all(requests.map(({ end }) => end));

    expect(ends).toEqual(range(3).map(() => ({ kind: 'ambiguous', reason: 'timeout' })));
    expect(await patient).toEqual({ kind: 'ambiguous', reason: 'silence' });
    expect(await sendOne(pool)).toMatchObject({ kind: 'answered' });
    expect(wire.connections).toBe(2);
  });

  test('that answers the ping is kept', async () => {
    const server = await openServer();
    hold(server);
    const pool = openPool(server);
    const requests = range(3).map(silent);
    for (const request of requests) pool.send(request);
    await Promise.all(requests.map(({ end }) => end));
    server.onRequest = (request) => request.answer();

    const end = await sendOne(pool);

    expect(end).toMatchObject({ kind: 'answered' });
    expect(server.sessions).toHaveLength(1);
  });

  test('is pinged when it is idle, and closed where it says nothing', async () => {
    const server = await openServer();
    let pings = 0;
    server.onSession = (session) => session.on('ping', () => (pings += 1));
    const wire = await openWire(server.url);
    const pool = openPool({
      ...server,
      url: new URL(wire.url),
      times: { pingAfterIdleMs: 20, idlePingMs: 2_000, lookAtIdleMs: 10 },
    });
    await sendOne(pool);
    await eventually(() => expect(pings).toBeGreaterThan(1));
    expect(pool.sessions).toBe(1);

    wire.freeze();

    await eventually(() => expect(pool.sessions).toBe(0));
    expect(await sendOne(pool)).toMatchObject({ kind: 'answered' });
  });
});

describe('replacing a connection', () => {
  test('keeps the answers that it owes, and happens once for many that ask for it', async () => {
    const server = await openServer();
    const held = hold(server);
    const pool = openPool(server);
    const requests = range(3).map((n) => new TestRequest(`/${n}`));
    for (const request of requests) pool.send(request);
    await eventually(() => expect(held).toHaveLength(3));

    for (const { session } of requests) if (session) pool.replaceSession(session, 'Shutdown');
    const next = sendOne(pool);
    await eventually(() => expect(held).toHaveLength(4));
    for (const request of held) request.answer();

    expect((await next).kind).toBe('answered');
    const ends = await Promise.all(requests.map(({ end }) => end));
    expect(ends.map(({ kind }) => kind)).toEqual(['answered', 'answered', 'answered']);
    expect(server.sessions).toHaveLength(2);
    await eventually(() => expect(server.openSessions).toBe(1));
  });
});

describe('closing', () => {
  test('waits for the answers owed, and for nothing else', async () => {
    const server = await openServer(1);
    const held = hold(server);
    const pool = openPool(server);
    const owed = sendOne(pool);
    await eventually(() => expect(held).toHaveLength(1));
    const waiting = sendOne(pool);
    const feed = new TestFeed('feed');
    pool.feed(feed);

    const closed = pool.close();
    const closing = { kind: 'unsent', reason: 'closing' };
    expect(await waiting).toEqual(closing);
    expect(await feed.stopped).toEqual(closing);
    held[0]?.answer();
    await closed;

    expect(await owed).toMatchObject({ kind: 'answered' });
    expect(feed.asked).toBe(0);
    await eventually(() => expect(server.openSessions).toBe(0));
  });

  test('ends a connection that was just being opened', async () => {
    const server = await openServer();
    const pool = openPool(server);
    const waiting = sendOne(pool);

    await pool.close();

    expect(await waiting).toEqual({ kind: 'unsent', reason: 'closing' });
    await eventually(() => expect(server.openSessions).toBe(0));
    expect(server.arrived).toEqual([]);
  });

  test('in a hurry ends at once what is under way, and opens nothing new', async () => {
    const server = await openServer(1);
    const held = hold(server);
    const pool = openPool(server);
    const owed = new TestRequest('/owed');
    const waiting = new TestRequest('/waiting');
    const feed = new TestFeed('feed');
    pool.send(owed);
    pool.send(waiting);
    pool.feed(feed);
    await eventually(() => expect(held).toHaveLength(1));

    pool.abandon();

    expect(await owed.end).toEqual({ kind: 'ambiguous', reason: 'aborted' });
    expect(await waiting.end).toEqual({ kind: 'unsent', reason: 'closing' });
    await feed.stopped;
    await pool.close();
    expect([owed.settled, waiting.settled]).toEqual([1, 1]);
    expect(server.sessions).toHaveLength(1);
  });
});

test('connections are opened no faster than they may', async () => {
  const server = await openServer();
  server.onRequest = (request) => {
    request.answer();
    request.session.goaway(constants.NGHTTP2_NO_ERROR);
  };
  const pool = openPool({ ...server, connectLimits: { ...QUICK, burst: 3, perSecond: 0.001 } });

  const ends: PoolEnd[] = [];
  for (const n of range(4)) {
    const request = new TestRequest(`/${n}`, n === 3 ? { waitMs: 200 } : {});
    pool.send(request);
    ends.push(await request.end);
    await eventually(() => expect(pool.sessions).toBe(0));
  }

  expect(ends.map(({ kind }) => kind)).toEqual(['answered', 'answered', 'answered', 'unsent']);
  expect(server.sessions).toHaveLength(3);
});

async function sendOneAnswered(
  pool: ReturnType<typeof openPool>,
  server: TestServer,
): Promise<boolean> {
  server.onRequest = (request) => request.answer();
  return (await sendOne(pool)).kind === 'answered';
}
