import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

import fc from 'fast-check';

import { Connection } from './connection.ts';
import { FrameReader } from './frame-reader.ts';
import { FLAG, FRAME } from './frames.ts';
import { ProtocolError } from './protocol-error.ts';
import type { RequestEnd } from './request.ts';
import { block, frame, OK, settingsFrame, TEMPLATE, uint32 } from './test-servers.ts';

const RUNS = 500;
const PREFACE_BYTES = 24;

/** Where to cut: each says how long the next piece is. */
const cuts = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 20_000 })),
  {
    minLength: 1,
    maxLength: 30,
  },
);

function cut(bytes: Buffer, lengths: readonly number[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  for (let i = 0; start < bytes.length; i += 1) {
    const end = start + (lengths[i % lengths.length] ?? 1);
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}

/** The frames in there, copied, and the code of the error that ended it. */
function readAll(pieces: readonly Buffer[]) {
  const frames: unknown[] = [];
  const reader = new FrameReader(({ type, flags, streamId, source, start, end }) =>
    frames.push([type, flags, streamId, source.toString('hex', start, end)]),
  );
  // One buffer for all that is read, as on a socket.
  const shared = Buffer.alloc(Math.max(1, ...pieces.map(({ length }) => length)));
  let error: unknown;
  try {
    for (const piece of pieces) reader.read(shared.subarray(0, piece.copy(shared)));
  } catch (thrown) {
    error = thrown;
  }
  return { frames, error };
}

describe('FrameReader', () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const streamIds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
  const payloads = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 16_000, max: 16_384 }).map((length) => new Uint8Array(length).fill(length)),
  );

  test('finds the same frames however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(octet, octet, streamIds, payloads)),
        cuts,
        (frames, lengths) => {
          const bytes = Buffer.concat(frames.map((parts) => frame(...parts)));

          const { frames: found, error } = readAll(cut(bytes, lengths));

          expect(error).toBeUndefined();
          expect(found).toEqual(
            frames.map(([type, flags, id, payload]) => [
              type,
              flags,
              id,
              Buffer.from(payload).toString('hex'),
            ]),
          );
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('makes the same of noise however it is cut, and throws nothing but its own error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), cuts, (noise, lengths) => {
        const whole = readAll([Buffer.from(noise)]);
        const inPieces = readAll(cut(Buffer.from(noise), lengths));

        expect(inPieces).toEqual(whole);
        expect(whole.error === undefined || whole.error instanceof ProtocolError).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });
});

/** Takes all that is written. */
class Sink extends Duplex {
  readonly written: Buffer[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(Buffer.from(chunk));
    done();
  }
}

const blocks = fc.oneof(
  { weight: 4, arbitrary: fc.constant(OK) },
  { weight: 2, arbitrary: fc.constant(Buffer.from([0x88, 0x40, 1, 0x78, 1, 0x79])) },
  { weight: 1, arbitrary: fc.constant(Buffer.from([0x88, 0xbe])) },
  { weight: 1, arbitrary: fc.constant(block([':status', '103'])) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
);
const ids = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 12 }).map((n) => 2 * n + 1) },
  { weight: 1, arbitrary: fc.constantFrom(0, 2, 1001) },
);
const numbers = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 100_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 32 - 1 }) },
);
const serverFrames = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(ids, blocks, fc.constantFrom(4, 5, 5, 5, 0))
      .map(([id, payload, flags]) => frame(FRAME.headers, flags, id, payload)),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(ids, fc.nat(2000), fc.constantFrom(0, 1, 8, 9))
      .map(([id, bytes, flags]) => frame(FRAME.data, flags, id, new Uint8Array(bytes))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(ids, blocks)
      .map(([id, payload]) => frame(FRAME.continuation, FLAG.endHeaders, id, payload)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(ids, fc.nat(14))
      .map(([id, code]) => frame(FRAME.rstStream, 0, id, uint32(code))),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(ids, numbers).map(([id, n]) => frame(FRAME.windowUpdate, 0, id, uint32(n))),
  },
  { weight: 2, arbitrary: numbers.map((n) => frame(FRAME.windowUpdate, 0, 0, uint32(n))) },
  {
    weight: 2,
    arbitrary: numbers.map((initialWindowSize) => settingsFrame({ initialWindowSize })),
  },
  {
    weight: 2,
    arbitrary: fc.nat(20).map((maxConcurrentStreams) => settingsFrame({ maxConcurrentStreams })),
  },
  { weight: 2, arbitrary: numbers.map((headerTableSize) => settingsFrame({ headerTableSize })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(numbers, numbers)
      .map((pair) => frame(FRAME.ping, pair[0] & 1, 0, uint32(...pair))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(25), fc.nat(14))
      .map((pair) => frame(FRAME.goaway, 0, 0, uint32(...pair))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 10, max: 255 }), fc.nat(255))
      .map(([type, flags]) => frame(type, flags, 0, [1, 2, 3])),
  },
);

interface Mutation {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}
const mutations: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(10_000),
  remove: fc.nat(4),
  insert: fc.uint8Array({ maxLength: 4 }),
});

function mutate(bytes: Buffer, changes: readonly Mutation[]): Buffer {
  return changes.reduce((changed, { at, remove, insert }) => {
    const start = at % changed.length;
    return Buffer.concat([changed.subarray(0, start), insert, changed.subarray(start + remove)]);
  }, bytes);
}

/** Feeds a connection, which is given requests all the while. Answers what was told of each of them, and what the server got. */
async function feed(pieces: readonly Buffer[], body: number) {
  const sink = new Sink();
  const told: RequestEnd[][] = [];
  let closes = 0;
  const connection = new Connection(sink as unknown as TLSSocket, {
    maxStreams: 10,
    events: { onCapacity() {}, onGoaway() {}, onClose: () => (closes += 1) },
    onReady() {},
  });
  const fill = () => {
    while (connection.capacity > 0 && told.length < 200) {
      const ends: RequestEnd[] = [];
      told.push(ends);
      connection.request({
        template: TEMPLATE,
        path: `/${told.length}`,
        fields: [['x-id', String(told.length)]],
        body: Buffer.alloc(body),
        deadlineMs: 60_000,
        onEnd: (end) => ends.push(end),
      });
    }
  };
  const shared = Buffer.alloc(Math.max(1, ...pieces.map(({ length }) => length)));
  for (const [i, piece] of pieces.entries()) {
    connection.read(shared.subarray(0, piece.copy(shared)));
    shared.fill(0xff);
    fill();
    if (i % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const wasReady = told.length > 0;
  connection.destroy('over');
  await new Promise((resolve) => setImmediate(resolve));
  return { told, closes, wasReady, connection, received: Buffer.concat(sink.written) };
}

describe('Connection', () => {
  test.each([
    ['frames in any order', fc.constant<Mutation[]>([])],
    ['frames that are damaged', fc.array(mutations, { minLength: 1, maxLength: 4 })],
  ])(
    'ends every request once and sends whole frames, whatever it reads: %s',
    async (_, changes) => {
      const kinds = { answered: 0, ambiguous: 0, unprocessed: 0 };

      await fc.assert(
        fc.asyncProperty(
          fc.array(serverFrames, { minLength: 1, maxLength: 60 }),
          changes,
          cuts,
          fc.constantFrom(0, 10, 3000, 40_000),
          async (frames, damage, lengths, body) => {
            const bytes = mutate(Buffer.concat(frames), damage);
            const pieces = [settingsFrame({ maxConcurrentStreams: 10 }), ...cut(bytes, lengths)];

            const { told, closes, connection, received } = await feed(pieces, body);

            expect(told.filter((ends) => ends.length !== 1)).toEqual([]);
            expect([closes, connection.inFlight, connection.capacity]).toEqual([1, 0, 0]);
            const { frames: sent, error } = readAll([received.subarray(PREFACE_BYTES)]);
            expect([error, sent.length > 0 || received.length === 0]).toEqual([undefined, true]);
            for (const [end] of told) if (end !== undefined) kinds[end.kind] += 1;
          },
        ),
        { numRuns: RUNS },
      );

      // Else it would not have tried much.
      expect(Math.min(...Object.values(kinds))).toBeGreaterThan(0);
    },
  );
});
