import { once } from 'node:events';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

import { toErrorName } from './error-codes.ts';
import { FLAG, FRAME } from './frames.ts';
import { frame, OK, TestServers, uint32, type Probe, type Sent } from './test-servers.ts';

const servers = new TestServers();

afterEach(() => servers.close());

const ANSWERED = { kind: 'answered', status: 200 };

/** As many as there are, as fast as the connection takes them. */
async function sendAll(probe: Probe, requests: number): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  while (sent.length < requests) {
    await probe.hasCapacity();
    sent.push(probe.send({ path: `/${sent.length}` }));
  }
  return sent;
}

function endsOf(sent: readonly Sent[]) {
  return Promise.all(sent.map(({ ended }) => ended));
}

describe('a stream limit by node:http2', () => {
  test('is kept while it goes from 1 to 1,000 and back to 1', async () => {
    let most = 0;
    let open = 0;
    let answered = 0;
    const { port } = await servers.node(
      (stream) => {
        most = Math.max(most, ++open);
        stream.once('close', () => (open -= 1));
        setImmediate(() => {
          stream.respond({ ':status': 200 }, { endStream: true });
          answered += 1;
          if (answered === 1) stream.session?.settings({ maxConcurrentStreams: 1000 });
          if (answered === 50) stream.session?.settings({ maxConcurrentStreams: 1 });
        });
      },
      { settings: { maxConcurrentStreams: 1 } },
    );
    const probe = await servers.connect(port);
    expect(probe.connection.capacity).toBe(1);

    const ends = await endsOf(await sendAll(probe, 200));

    // What is beyond the limit that it acknowledged the server would refuse.
    expect(ends.filter(({ kind }) => kind !== 'answered')).toEqual([]);
    expect(most).toBeGreaterThan(1);
    expect(probe.connection.maxStreams).toBe(1);
  });
});

describe('GOAWAY by node:http2 in the middle of a burst', () => {
  /** Answers the first ten of a hundred; with the tenth the server says where it stops. */
  async function burst(stop: (session: ServerHttp2Session, lastStreamId: number) => void) {
    const seen: string[] = [];
    const { port } = await servers.node((stream, path) => {
      seen.push(path);
      stream.respond({ ':status': 200 });
      stream.end(path);
      if (seen.length === 10 && stream.session) stop(stream.session as ServerHttp2Session, 19);
    });
    const probe = await servers.connect(port, { maxStreams: 100 });
    const sent = Array.from({ length: 100 }, (_, i) => probe.send({ path: `/${i}` }));
    return { probe, ends: await endsOf(sent), sent };
  }

  test.each([
    [
      'hard',
      (session: ServerHttp2Session, id: number) =>
        session.goaway(0, id, Buffer.from('{"reason":"x"}')),
      1,
    ],
    [
      'graceful',
      (session: ServerHttp2Session, id: number) => {
        session.goaway(0, 2 ** 31 - 1);
        session.goaway(0, id);
      },
      2,
    ],
    ['hard, with an error', (session: ServerHttp2Session, id: number) => session.goaway(11, id), 1],
  ])(
    '%s: every request ends once, above the last stream as unprocessed',
    async (_, stop, goaways) => {
      const { probe, ends, sent } = await burst(stop);

      expect(ends.slice(0, 10)).toEqual(
        ends.slice(0, 10).map((end, i) => ({ ...end, ...ANSWERED, body: Buffer.from(`/${i}`) })),
      );
      expect(ends.slice(10)).toEqual(
        ends.slice(10).map(() => ({ kind: 'unprocessed', reason: 'goaway' })),
      );
      expect(await probe.closed).toBe('closing');
      expect(probe.goaways).toHaveLength(goaways);
      expect(new Set(sent.map((it) => it.ends.length))).toEqual(new Set([1]));
    },
  );
});

describe('RST_STREAM', () => {
  const codes = [...Array.from({ length: 14 }, (_, code) => code), 0xdead];

  test.each(codes.map((code) => [toErrorName(code), code] as const))(
    '%s before the status ends one request, and after it cuts the answer off',
    async (name, code) => {
      const { probe, peer } = await servers.pair();
      const [before, after, other] = [probe.send(), probe.send(), probe.send()];
      await peer.receiveType(FRAME.data, 5);

      peer.send(
        frame(FRAME.rstStream, 0, 1, uint32(code)),
        frame(FRAME.headers, FLAG.endHeaders, 3, OK),
        frame(FRAME.data, 0, 3, Buffer.from('ha')),
        frame(FRAME.rstStream, 0, 3, uint32(code)),
        frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 5, OK),
      );

      expect(await other?.ended).toMatchObject({ ...ANSWERED, isComplete: true });
      expect(before?.ends).toEqual([
        name === 'REFUSED_STREAM'
          ? { kind: 'unprocessed', reason: 'refused_stream' }
          : { kind: 'ambiguous', reason: name },
      ]);
      expect(after?.ends).toEqual([
        { ...ANSWERED, fields: [], body: Buffer.from('ha'), isComplete: false },
      ]);
      expect(probe.connection).toMatchObject({ state: 'open', inFlight: 0 });
    },
  );
});

describe('a connection that ends without a word', () => {
  test('by FIN: nobody knows of its requests, but for those with a status', async () => {
    const { probe, peer } = await servers.pair();
    const [first, second] = [probe.send(), probe.send()];
    await peer.receiveType(FRAME.data, 3);

    peer.send(frame(FRAME.headers, FLAG.endHeaders, 3, OK));
    peer.socket.end();

    expect(await first?.ended).toEqual({ kind: 'ambiguous', reason: 'connection_closed' });
    expect(await second?.ended).toMatchObject({ ...ANSWERED, isComplete: false });
    expect(await probe.closed).toBe('connection_closed');
  });

  test('by RST: nobody knows of its requests', async () => {
    const { probe, peer } = await servers.pair();
    const sent = probe.send();
    await peer.receiveType(FRAME.data, 1);

    servers.reset();

    expect(await sent.ended).toEqual({ kind: 'ambiguous', reason: 'ECONNRESET' });
    expect(await probe.closed).toBe('ECONNRESET');
    expect(await probe.connection.ping(60_000)).toBe(false);
  });
});

describe('answers of node:http2', () => {
  test('come with informational ones before and trailers after them', async () => {
    const { port } = await servers.node((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '<x>' });
      stream.respond({ ':status': 410, 'apns-id': 'some' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5' }));
      stream.end('{"reason":"Unregistered"}');
    });
    const probe = await servers.connect(port);

    const end = await probe.send().ended;

    expect(end).toMatchObject({
      kind: 'answered',
      status: 410,
      body: Buffer.from('{"reason":"Unregistered"}'),
      isComplete: true,
    });
    expect(end.kind === 'answered' && end.fields.filter(([name]) => name !== 'date')).toEqual([
      ['apns-id', 'some'],
      ['grpc-status', '5'],
    ]);
  });

  test('may come before the body was sent', async () => {
    const { port } = await servers.node(
      (stream) => stream.respond({ ':status': 413 }, { endStream: true }),
      { settings: { initialWindowSize: 1000 } },
    );
    const probe = await servers.connect(port);

    const ends = await endsOf([probe.send({ body: Buffer.alloc(500_000) }), probe.send()]);

    expect(ends).toMatchObject([{ status: 413 }, { status: 413 }]);
    expect(probe.connection.state).toBe('open');
  });

  test('come with header lists of several frames, both ways', async () => {
    const long = 'v'.repeat(14_000);
    let seen: unknown;
    const { port, server } = await servers.node(
      (stream) => {
        stream.respond({ ':status': 200, 'x-long': long }, { endStream: true });
      },
      { settings: { maxHeaderListSize: 100_000 }, maxHeaderListPairs: 100 },
    );
    server.on('stream', (_stream, headers) => (seen = headers['x-long']));
    const probe = await servers.connect(port);

    const end = await probe.send({ fields: [['x-long', '\\'.repeat(40_000)]] }).ended;

    expect(end).toMatchObject({ status: 200, isComplete: true });
    expect(end.kind === 'answered' && end.fields).toContainEqual(['x-long', long]);
    expect(seen).toBe('\\'.repeat(40_000));
  });
});

describe('the tables of node:http2', () => {
  test('may have any size at any time', async () => {
    const topics: unknown[] = [];
    const sizes = [100, 0, 4096, 65_536, 50];
    const { port, server } = await servers.node(
      (stream) => stream.respond({ ':status': 200 }, { endStream: true }),
      { settings: { headerTableSize: 0 } },
    );
    server.on('stream', (_stream, headers) => topics.push(headers['apns-topic']));
    const sessions = once(server, 'session') as Promise<ServerHttp2Session[]>;
    const probe = await servers.connect(port);
    const [session] = await sessions;

    for (const headerTableSize of sizes) {
      await endsOf([probe.send(), probe.send(), probe.send()]);
      await new Promise((resolve) => session?.settings({ headerTableSize }, resolve));
    }
    const last = await probe.send().ended;

    expect(last).toMatchObject(ANSWERED);
    expect(topics).toEqual(Array.from({ length: 16 }, () => 'com.example.app'));
  });
});

describe('pings with node:http2', () => {
  test('go both ways, also while requests are under way', async () => {
    const streams: ServerHttp2Stream[] = [];
    const { port, server } = await servers.node((stream) => {
      streams.push(stream);
      server.emit('taken');
    });
    const probe = await servers.connect(port);
    const taken = once(server, 'taken');
    const sent = probe.send();
    await taken;

    const pinged = await new Promise((resolve) =>
      streams[0]?.session?.ping(Buffer.from('12345678'), (error, _ms, payload) =>
        resolve(error ?? payload),
      ),
    );

    expect(pinged).toEqual(Buffer.from('12345678'));
    expect(await probe.connection.ping(60_000)).toBe(true);
    streams[0]?.respond({ ':status': 200 }, { endStream: true });
    expect(await sent.ended).toMatchObject(ANSWERED);
  });
});
