import { toErrorCode, type ErrorName } from './error-codes.ts';
import { FLAG, FRAME } from './frames.ts';
import { ConnectError } from './connect.ts';
import {
  block,
  frame,
  OK,
  settingsFrame,
  TestServers,
  uint32,
  type RawPeer,
} from './test-servers.ts';

const servers = new TestServers();

afterEach(() => servers.close());

const HEADERS_END = FLAG.endHeaders | FLAG.endStream;
const LONGEST = 16_384;
const MAX_WINDOW = 2 ** 31 - 1;

const data = (streamId: number, bytes: number, flags = 0) =>
  frame(FRAME.data, flags, streamId, Buffer.alloc(bytes));
const headers = (streamId: number, payload: Uint8Array = OK, flags: number = FLAG.endHeaders) =>
  frame(FRAME.headers, flags, streamId, payload);
const answer = (streamId: number) => headers(streamId, OK, HEADERS_END);

async function goawayOf(peer: RawPeer): Promise<number> {
  return (await peer.receiveType(FRAME.goaway)).payload.readUInt32BE(4);
}

/** Streams 1 and 3 are open when the server sends them. */
const CONNECTION_FAULTS: readonly (readonly [string, ErrorName, Buffer])[] = [
  ['a frame that is too long', 'FRAME_SIZE_ERROR', data(1, LONGEST + 1)],
  [
    'an unknown frame that is too long',
    'FRAME_SIZE_ERROR',
    frame(0xee, 0, 0, Buffer.alloc(LONGEST + 1)),
  ],
  ['DATA of stream 0', 'PROTOCOL_ERROR', data(0, 1)],
  ['DATA of an even stream', 'PROTOCOL_ERROR', data(2, 1)],
  ['DATA of an idle stream', 'PROTOCOL_ERROR', data(5, 1)],
  [
    'DATA with more padding than frame',
    'PROTOCOL_ERROR',
    frame(FRAME.data, FLAG.padded, 1, [2, 0]),
  ],
  ['DATA padded without a length', 'FRAME_SIZE_ERROR', frame(FRAME.data, FLAG.padded, 1)],
  ['HEADERS of stream 0', 'PROTOCOL_ERROR', headers(0)],
  ['HEADERS of an even stream', 'PROTOCOL_ERROR', headers(2)],
  ['HEADERS of an idle stream', 'PROTOCOL_ERROR', headers(5)],
  [
    'HEADERS with more padding than frame',
    'PROTOCOL_ERROR',
    headers(1, Buffer.from([9, 0x88]), FLAG.endHeaders | FLAG.padded),
  ],
  [
    'HEADERS too short for their priority',
    'FRAME_SIZE_ERROR',
    headers(1, Buffer.from([0, 0, 0, 0]), FLAG.endHeaders | FLAG.priority),
  ],
  ['PRIORITY of the wrong size', 'FRAME_SIZE_ERROR', frame(FRAME.priority, 0, 1, uint32(0))],
  ['PRIORITY of stream 0', 'PROTOCOL_ERROR', frame(FRAME.priority, 0, 0, Buffer.alloc(5))],
  ['RST_STREAM of the wrong size', 'FRAME_SIZE_ERROR', frame(FRAME.rstStream, 0, 1, uint32(0, 0))],
  ['RST_STREAM of stream 0', 'PROTOCOL_ERROR', frame(FRAME.rstStream, 0, 0, uint32(8))],
  ['RST_STREAM of an idle stream', 'PROTOCOL_ERROR', frame(FRAME.rstStream, 0, 5, uint32(8))],
  ['SETTINGS of a stream', 'PROTOCOL_ERROR', frame(FRAME.settings, 0, 1)],
  ['SETTINGS that are cut short', 'FRAME_SIZE_ERROR', frame(FRAME.settings, 0, 0, [0, 3, 0, 0, 0])],
  [
    'an acknowledgement with settings in it',
    'FRAME_SIZE_ERROR',
    frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(6)),
  ],
  ['SETTINGS that enable push', 'PROTOCOL_ERROR', settingsFrame({ enablePush: 1 })],
  [
    'SETTINGS with a window beyond 2^31-1',
    'FLOW_CONTROL_ERROR',
    settingsFrame({ initialWindowSize: MAX_WINDOW + 1 }),
  ],
  [
    'SETTINGS with frames too small',
    'PROTOCOL_ERROR',
    settingsFrame({ maxFrameSize: LONGEST - 1 }),
  ],
  ['SETTINGS with frames too large', 'PROTOCOL_ERROR', settingsFrame({ maxFrameSize: 2 ** 24 })],
  [
    'PUSH_PROMISE',
    'PROTOCOL_ERROR',
    frame(FRAME.pushPromise, FLAG.endHeaders, 1, [0, 0, 0, 2, 0x82]),
  ],
  ['PING of the wrong size', 'FRAME_SIZE_ERROR', frame(FRAME.ping, 0, 0, uint32(0))],
  ['PING of a stream', 'PROTOCOL_ERROR', frame(FRAME.ping, 0, 1, uint32(0, 0))],
  ['GOAWAY that is cut short', 'FRAME_SIZE_ERROR', frame(FRAME.goaway, 0, 0, uint32(0))],
  ['GOAWAY of a stream', 'PROTOCOL_ERROR', frame(FRAME.goaway, 0, 1, uint32(0, 0))],
  ['WINDOW_UPDATE of the wrong size', 'FRAME_SIZE_ERROR', frame(FRAME.windowUpdate, 0, 0, [0])],
  [
    'WINDOW_UPDATE of nothing for the connection',
    'PROTOCOL_ERROR',
    frame(FRAME.windowUpdate, 0, 0, uint32(0)),
  ],
  ['WINDOW_UPDATE of an idle stream', 'PROTOCOL_ERROR', frame(FRAME.windowUpdate, 0, 5, uint32(1))],
  [
    'a connection window beyond 2^31-1',
    'FLOW_CONTROL_ERROR',
    frame(FRAME.windowUpdate, 0, 0, uint32(MAX_WINDOW)),
  ],
  [
    'stream windows pushed beyond 2^31-1 by SETTINGS',
    'FLOW_CONTROL_ERROR',
    Buffer.concat([
      frame(FRAME.windowUpdate, 0, 1, uint32(1000)),
      settingsFrame({ initialWindowSize: MAX_WINDOW }),
    ]),
  ],
  ['CONTINUATION of nothing', 'PROTOCOL_ERROR', frame(FRAME.continuation, FLAG.endHeaders, 1, OK)],
  [
    'CONTINUATION of another stream',
    'PROTOCOL_ERROR',
    Buffer.concat([headers(1, OK, 0), frame(FRAME.continuation, FLAG.endHeaders, 3)]),
  ],
  [
    'a header block interrupted by PING',
    'PROTOCOL_ERROR',
    Buffer.concat([headers(1, OK, 0), frame(FRAME.ping, 0, 0, uint32(0, 0))]),
  ],
  [
    'a header block interrupted by an unknown frame',
    'PROTOCOL_ERROR',
    Buffer.concat([headers(1, OK, 0), frame(0xee, 0, 0)]),
  ],
  [
    'a header block interrupted by other HEADERS',
    'PROTOCOL_ERROR',
    Buffer.concat([headers(1, OK, 0), headers(1)]),
  ],
  ['an index of no entry', 'COMPRESSION_ERROR', headers(1, Buffer.from([0xff, 0x20]))],
  ['an integer without end', 'COMPRESSION_ERROR', headers(1, Buffer.alloc(20, 0xff))],
  ['a string beyond its block', 'COMPRESSION_ERROR', headers(1, Buffer.from([0x08, 0x7e, 0x32]))],
  [
    'a table larger than allowed',
    'COMPRESSION_ERROR',
    headers(1, Buffer.from([0x3f, 0xe2, 0x1f, 0x88])),
  ],
];

/** What a server may not do on stream 1, and what the connection says on that stream. */
const STREAM_FAULTS: readonly (readonly [string, ErrorName, Buffer])[] = [
  ['DATA before HEADERS', 'PROTOCOL_ERROR', data(1, 1)],
  ['a status that is none', 'PROTOCOL_ERROR', headers(1, block([':status', '20x']))],
  ['HEADERS without a status', 'PROTOCOL_ERROR', headers(1, block(['server', 'x']))],
  [
    'a status behind other fields',
    'PROTOCOL_ERROR',
    headers(1, block(['server', 'x'], [':status', '200'])),
  ],
  [
    'an informational status that ends the stream',
    'PROTOCOL_ERROR',
    headers(1, block([':status', '100']), HEADERS_END),
  ],
  ['a header list that is too long', 'ENHANCE_YOUR_CALM', headers(1, longList(200))],
  ['WINDOW_UPDATE of nothing', 'PROTOCOL_ERROR', frame(FRAME.windowUpdate, 0, 1, uint32(0))],
  [
    'a window beyond 2^31-1',
    'FLOW_CONTROL_ERROR',
    frame(FRAME.windowUpdate, 0, 1, uint32(MAX_WINDOW)),
  ],
];

/** What a server may not do on stream 1 once it has answered 200 there. */
const FAULTS_AFTER_STATUS: readonly (readonly [string, ErrorName, Buffer])[] = [
  ['HEADERS in the middle', 'PROTOCOL_ERROR', headers(1, block(['server', 'x']))],
  ['trailers that are too long', 'ENHANCE_YOUR_CALM', headers(1, longList(200), HEADERS_END)],
  [
    'DATA beyond the stream window',
    'FLOW_CONTROL_ERROR',
    Buffer.concat(Array.from({ length: 5 }, () => data(1, 14_000))),
  ],
  [
    'a body as long as the window, and more to come',
    'CANCEL',
    Buffer.concat(Array.from({ length: 5 }, () => data(1, 13_107))),
  ],
];

/** Of 100 bytes and more each, by the count of HPACK. */
function longList(fields: number): Buffer {
  return block(
    [':status', '200'],
    ...Array.from({ length: fields }, (): [string, string] => ['x', 'y'.repeat(70)]),
  );
}

describe('a connection whose server breaks the rules', () => {
  test.each(CONNECTION_FAULTS)('ends for %s as %s', async (_, code, fault) => {
    const { probe, peer } = await servers.pair();
    const [first, second] = [probe.send(), probe.send()].map(({ ended }) => ended);
    await peer.receiveType(FRAME.headers, 1);

    peer.send(fault);

    expect(await first).toEqual({ kind: 'ambiguous', reason: code });
    expect(await second).toEqual({ kind: 'ambiguous', reason: code });
    expect(await goawayOf(peer)).toBe(toErrorCode(code));
    expect(await probe.closed).toBe(code);
    expect(probe.connection).toMatchObject({ state: 'closed', capacity: 0, inFlight: 0 });
  });

  test.each(STREAM_FAULTS)('resets only the stream for %s, as %s', async (_, code, fault) => {
    const { probe, peer } = await servers.pair();
    const [first, second] = [probe.send(), probe.send()].map(({ ended }) => ended);
    await peer.receiveType(FRAME.headers, 3);

    peer.send(fault, answer(3));

    expect(await first).toEqual({ kind: 'ambiguous', reason: code });
    expect(await second).toMatchObject({ kind: 'answered', status: 200, isComplete: true });
    const { streamId, payload } = await peer.receiveType(FRAME.rstStream);
    expect([streamId, payload.readUInt32BE()]).toEqual([1, toErrorCode(code)]);
    expect(probe.connection).toMatchObject({ state: 'open', inFlight: 0 });
  });

  test.each(FAULTS_AFTER_STATUS)(
    'keeps the status for %s, and resets as %s',
    async (_, code, fault) => {
      const { probe, peer } = await servers.pair();
      const [first, second] = [probe.send(), probe.send()].map(({ ended }) => ended);
      await peer.receiveType(FRAME.headers, 3);

      peer.send(headers(1), fault, answer(3));

      expect(await first).toMatchObject({ kind: 'answered', status: 200, isComplete: false });
      expect(await second).toMatchObject({ kind: 'answered', status: 200, isComplete: true });
      const { streamId, payload } = await peer.receiveType(FRAME.rstStream);
      expect([streamId, payload.readUInt32BE()]).toEqual([1, toErrorCode(code)]);
    },
  );

  test.each([
    ['PING', frame(FRAME.ping, 0, 0, uint32(0, 0))],
    ['an acknowledgement', frame(FRAME.settings, FLAG.ack, 0)],
    ['text', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('is refused, and the server told why, where the first frame is %s', async (_, first) => {
    let peer: RawPeer | undefined;
    const port = await servers.raw((accepted) => {
      peer = accepted;
      accepted.send(first);
    });

    const connecting = servers.connect(port);

    await expect(connecting).rejects.toBeInstanceOf(ConnectError);
    const code = first[0] === 0x48 ? 'FRAME_SIZE_ERROR' : 'PROTOCOL_ERROR';
    await expect(connecting).rejects.toMatchObject({ code });
    expect(peer && (await goawayOf(peer))).toBe(toErrorCode(code));
  });

  test('bounds what a flood of CONTINUATION frames makes it keep, empty ones included', async () => {
    const { probe, peer } = await servers.pair();
    const { ended } = probe.send();
    await peer.receiveType(FRAME.headers, 1);

    peer.send(headers(1, OK, 0));
    const empty = Buffer.concat(
      Array.from({ length: 8000 }, () => frame(FRAME.continuation, 0, 1)),
    );
    peer.send(empty);

    expect(await ended).toEqual({ kind: 'ambiguous', reason: 'ENHANCE_YOUR_CALM' });
    expect(await goawayOf(peer)).toBe(toErrorCode('ENHANCE_YOUR_CALM'));
  });

  test.each([
    ['PING', frame(FRAME.ping, 0, 0, uint32(1, 2))],
    ['SETTINGS', settingsFrame()],
  ])('gives up a server that floods it with %s and does not read', async (_, flood) => {
    const { probe, peer } = await servers.pair();
    const { ended } = probe.send();
    await peer.receiveType(FRAME.data, 1);
    peer.socket.pause();

    const frames = Buffer.concat(Array.from({ length: 4000 }, () => flood));
    const timer = setInterval(() => peer.socket.writableLength === 0 && peer.send(frames), 1);
    const end = await ended;
    clearInterval(timer);

    expect(end).toEqual({ kind: 'ambiguous', reason: 'ENHANCE_YOUR_CALM' });
    expect(await probe.closed).toBe('ENHANCE_YOUR_CALM');
  });
});

describe('a connection whose server does what is odd and allowed', () => {
  test.each([
    [
      'padding',
      [
        frame(FRAME.headers, FLAG.endHeaders | FLAG.padded, 1, [2, 0x88, 0, 0]),
        frame(FRAME.data, FLAG.padded | FLAG.endStream, 1, [3, 0x68, 0x69, 0, 0, 0]),
      ],
    ],
    [
      'padding and nothing else',
      [
        headers(1),
        frame(FRAME.data, FLAG.padded, 1, [3, 0, 0, 0]),
        frame(FRAME.data, FLAG.endStream, 1, Buffer.from('hi')),
      ],
    ],
    [
      'priorities',
      [
        frame(FRAME.priority, 0, 7, Buffer.alloc(5)),
        headers(1, Buffer.from([0, 0, 0, 3, 16, 0x88]), FLAG.endHeaders | FLAG.priority),
        frame(FRAME.data, FLAG.endStream, 1, Buffer.from('hi')),
      ],
    ],
    [
      'unknown frames and flags',
      [
        frame(0xee, 0xff, 0x7fffffff, Buffer.alloc(100)),
        headers(1, OK, 0xd2 | FLAG.endHeaders),
        frame(0x0c, 0, 0),
        frame(FRAME.data, 0xf6 | FLAG.endStream, 1, Buffer.from('hi')),
      ],
    ],
    [
      'reserved bits',
      [
        frame(FRAME.headers, FLAG.endHeaders, 0x80000001, OK),
        frame(FRAME.windowUpdate, 0, 0x80000000, uint32(0x80000001)),
        frame(FRAME.data, FLAG.endStream, 1, Buffer.from('hi')),
      ],
    ],
    [
      'unknown settings',
      [
        frame(FRAME.settings, 0, 0, [0xff, 0xff, 1, 2, 3, 4]),
        headers(1),
        frame(FRAME.data, FLAG.endStream, 1, Buffer.from('hi')),
      ],
    ],
    [
      'empty CONTINUATION frames',
      [
        headers(1, Buffer.alloc(0), 0),
        ...Array.from({ length: 20 }, () => frame(FRAME.continuation, 0, 1)),
        frame(FRAME.continuation, FLAG.endHeaders, 1, OK),
        frame(FRAME.data, FLAG.endStream, 1, Buffer.from('hi')),
      ],
    ],
    [
      'an end in an empty DATA frame',
      [
        headers(1),
        data(1, 0),
        frame(FRAME.data, 0, 1, Buffer.from('hi')),
        data(1, 0, FLAG.endStream),
      ],
    ],
    [
      'informational answers',
      [
        headers(1, block([':status', '100'])),
        headers(1, block([':status', '103'], ['link', 'x'])),
        headers(1),
        frame(FRAME.data, FLAG.endStream, 1, Buffer.from('hi')),
      ],
    ],
    [
      'a window for a stream that is over, of nothing even',
      [
        headers(1),
        frame(FRAME.data, FLAG.endStream, 1, Buffer.from('hi')),
        frame(FRAME.windowUpdate, 0, 1, uint32(0)),
      ],
    ],
  ])('takes %s', async (_, frames) => {
    const { probe, peer } = await servers.pair();
    const [first, second] = [probe.send(), probe.send()];
    await peer.receiveType(FRAME.headers, 3);

    peer.send(...frames, answer(3));

    expect(await first?.ended).toEqual({
      kind: 'answered',
      status: 200,
      fields: [],
      body: Buffer.from('hi'),
      isComplete: true,
    });
    expect(await second?.ended).toMatchObject({ kind: 'answered', status: 200 });
    expect(probe.connection.state).toBe('open');
  });

  test('ignores what still comes for streams that it reset, and keeps the table in step', async () => {
    const { probe, peer } = await servers.pair();
    const first = probe.send({ deadlineMs: 1 });
    await peer.receiveType(FRAME.rstStream, 1);
    const second = probe.send();
    await peer.receiveType(FRAME.headers, 3);

    // The first answer puts a field in the table (0x40), and the second refers to it (0xbe).
    const indexed = Buffer.from([0x88, 0x40, 1, ...Buffer.from('x'), 1, ...Buffer.from('y')]);
    peer.send(
      headers(1, indexed),
      data(1, 100, FLAG.endStream),
      frame(FRAME.windowUpdate, 0, 1, uint32(10)),
      frame(FRAME.rstStream, 0, 1, uint32(0)),
      headers(3, Buffer.from([0x88, 0xbe]), HEADERS_END),
    );

    expect(await second.ended).toMatchObject({ status: 200, fields: [['x', 'y']] });
    expect(first.ends).toEqual([{ kind: 'ambiguous', reason: 'timeout' }]);
    expect(probe.connection.state).toBe('open');
  });

  test('adds trailers to the fields, without pseudo-fields', async () => {
    const { probe, peer } = await servers.pair();
    const { ended } = probe.send();
    await peer.receiveType(FRAME.headers, 1);

    peer.send(
      headers(1, block([':status', '429'], ['retry-after', '3'])),
      data(1, 2),
      headers(1, block([':odd', 'x'], ['grpc-status', '8']), HEADERS_END),
    );

    expect(await ended).toMatchObject({
      status: 429,
      fields: [
        ['retry-after', '3'],
        ['grpc-status', '8'],
      ],
      isComplete: true,
    });
  });

  test('answers a ping with what was in it', async () => {
    const { peer } = await servers.pair();

    peer.send(frame(FRAME.ping, 0, 0, uint32(0xfedcba98, 0x76543210)));

    const { flags, payload } = await peer.receiveType(FRAME.ping);
    expect([flags, payload]).toEqual([FLAG.ack, uint32(0xfedcba98, 0x76543210)]);
  });

  test('gives back what bodies took of the window, padding and unwanted bodies included', async () => {
    const { probe, peer } = await servers.pair();
    const sent = Array.from({ length: 40 }, () => probe.send());
    await peer.receiveType(FRAME.headers, 79);
    const [initial] = peer.frames.filter(({ type }) => type === FRAME.windowUpdate);

    // 40 × 16,000 bytes: more than half of the megabyte. Half of the streams get an illegal body, which counts, too.
    sent.forEach((_sent, i) => {
      if (i % 2 === 0) peer.send(headers(i * 2 + 1));
      peer.send(
        frame(FRAME.data, FLAG.padded | FLAG.endStream, i * 2 + 1, Buffer.alloc(16_000, 200)),
      );
    });

    const grown = await peer.receive((it) => it.type === FRAME.windowUpdate && it !== initial);
    expect(initial?.payload.readUInt32BE()).toBe(1_048_576 - 65_535);
    expect([grown.streamId, grown.payload.readUInt32BE()]).toEqual([0, 33 * 16_000]);
    const ends = await Promise.all(sent.map(({ ended }) => ended));
    expect(ends.map(({ kind }) => kind)).toEqual(
      sent.map((_sent, i) => (i % 2 === 0 ? 'answered' : 'ambiguous')),
    );
  });
});
