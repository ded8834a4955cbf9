import { EventEmitter, on, once } from 'node:events';
import http2, { type OutgoingHttpHeaders, type ServerHttp2Session } from 'node:http2';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';

import fc from 'fast-check';

import { RequestTemplate } from '../request-template.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackEncoder } from './encoder.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const HEADERS = 1;
const SETTINGS = 4;
const CONTINUATION = 9;
const ACK = 1;
const END_STREAM = 1;
const END_HEADERS = 4;
const HEADER_TABLE_SIZE = 1;
const STATUS_204 = Buffer.of(0x89);

/** Of RFC 7541 appendix A, in another order, but for those that node keeps to itself. */
const STATIC_NAMES = (
  'www-authenticate via vary user-agent strict-transport-security set-cookie server retry-after ' +
  'refresh referer range proxy-authorization proxy-authenticate max-forwards location link ' +
  'last-modified if-unmodified-since if-range if-none-match if-modified-since if-match host from ' +
  'expires expect etag date cookie content-type content-range content-location content-length ' +
  'content-language content-encoding content-disposition cache-control authorization allow age ' +
  'access-control-allow-origin accept accept-ranges accept-language accept-encoding accept-charset'
).split(' ');

const VISIBLE = Array.from({ length: 0x7e - 0x20 }, (_, i) => String.fromCharCode(0x21 + i));
const OBSOLETE = Array.from({ length: 0x80 }, (_, i) => String.fromCharCode(0x80 + i));
const ownName = fc
  .string({
    unit: fc.constantFrom(...Array.from('abcdefghijklmnopqrstuvwxyz0189-_.~!')),
    maxLength: 20,
  })
  .map((rest) => `x-${rest}`);
const knownName = fc.constantFrom('apns-id', 'apns-topic', 'user-agent', 'accept', 'via', 'date');
const name = fc.oneof(ownName, knownName);
const path = fc.string({ unit: fc.constantFrom(...VISIBLE), maxLength: 90 }).map((s) => `/${s}`);

const opened: (() => void)[] = [];
afterEach(() => opened.splice(0).forEach((close) => close()));

describe('a decoder, given what node encodes', () => {
  const anyValue = fc.oneof(
    fc.string({ unit: fc.constantFrom(...VISIBLE), maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...VISIBLE, ...OBSOLETE), maxLength: 20 }),
    // Long enough in the short codes that the whole is Huffman-coded, whatever else is in it.
    fc.constantFrom(...VISIBLE, ...OBSOLETE).map((rare) => `${rare}${'e'.repeat(40)}${rare}`),
    fc.constantFrom('1', '', 'b'.repeat(3000)),
  );
  const headers = fc.record({
    path,
    fields: fc.uniqueArray(fc.tuple(name, anyValue, fc.boolean()), {
      selector: ([itsName]) => itsName,
      maxLength: 8,
    }),
  });

  test('reads every header, whatever the size of the table', async () => {
    const server = net.createServer();
    await listening(server);
    const sessions = fc.record({
      tableBytes: fc.constantFrom(0, 50, 100, 4096, 30_000),
      requests: fc.array(headers, { minLength: 1, maxLength: 12 }),
    });

    await fc.assert(
      fc.asyncProperty(sessions, async ({ tableBytes, requests }) => {
        const client = http2.connect(origin(server), { maxDeflateDynamicTableSize: 30_000 });
        const [socket] = (await once(server, 'connection')) as [Socket];
        const peer = new Peer(socket, PREFACE.length);
        peer.write(SETTINGS, 0, 0, settingsOf(tableBytes));
        await once(client, 'remoteSettings');
        const decoder = openDecoder(tableBytes);

        for (const request of requests) {
          const stream = client.request(toNodeHeaders(request), { endStream: true });
          const { streamId, block } = await peer.headerBlock();
          const fields = decoder.decode(block, 0, block.length);

          expect(fields).toEqual([
            [':method', 'PUT'],
            [':scheme', 'https'],
            [':authority', 'a.example'],
            [':path', request.path],
            ...request.fields.map(([itsName, itsValue]) => [itsName, itsValue]),
          ]);
          peer.write(HEADERS, END_STREAM | END_HEADERS, streamId, STATUS_204);
          stream.resume();
          await once(stream, 'close');
        }
        client.close();
        await once(client, 'close');
      }),
      { numRuns: 60 },
    );
  });

  test('reads every octet that a value may have', async () => {
    // NUL is what node parts names and values by.
    const fields = Array.from({ length: 0xff }, (_, i): [string, string] => [
      `x-${i + 1}-octet`,
      `${String.fromCharCode(i + 1)}${'e'.repeat(40)}`,
    ]);
    const block = await encodedByNode(fields);

    const answer = openDecoder(4096).decode(block, 0, block.length);

    expect(answer?.slice(4)).toEqual(fields);
    // Huffman-coded, that is.
    expect(block.length).toBeLessThan(255 * 45);
  });

  test('reads every name that has a static index, and the value that comes with one', async () => {
    const fields = STATIC_NAMES.map((its) => [
      its,
      its === 'accept-encoding' ? 'gzip, deflate' : 'x',
    ]) as [string, string][];
    const block = await encodedByNode(fields);

    const answer = openDecoder(4096).decode(block, 0, block.length);

    expect(answer?.slice(4)).toEqual(fields);
    // By their indices, that is.
    expect(block.length).toBeLessThan(fields.length * 5 + 20);
  });
});

describe('an encoder, read by node', () => {
  const printable = fc
    .string({ unit: fc.constantFrom(...VISIBLE, ' '), maxLength: 60 })
    .map((text) => text.trim());
  const fieldsOf = (most: number) => fc.array(fc.tuple(name, printable), { maxLength: most });
  const template = fc
    .record({
      method: fc.constantFrom('GET', 'POST'),
      authority: fc.constantFrom('example.com', 'push.example.com', `${'a'.repeat(60)}.example`),
      shared: fieldsOf(4),
      own: fieldsOf(3),
      secret: fieldsOf(2),
    })
    .map((parts) => new RequestTemplate(parts));
  const request = fc.record({ template: fc.nat(), path, fields: fieldsOf(3) });
  const size = fc.record({ tableBytes: fc.constantFrom(0, 50, 100, 4096, 65_536) });

  test('is understood while templates and table sizes come and go', async () => {
    const server = http2.createServer();
    await listening(server);

    await fc.assert(
      fc.asyncProperty(
        fc.array(template, { minLength: 1, maxLength: 10 }),
        fc.array(fc.oneof({ weight: 5, arbitrary: request }, size), { maxLength: 40 }),
        async (templates, steps) => {
          const encoder = new HpackEncoder();
          const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
          const peer = new Peer(socket, 0);
          socket.write(PREFACE);
          peer.write(SETTINGS, 0, 0, Buffer.alloc(0));
          const [session] = (await once(server, 'session')) as [ServerHttp2Session];
          await peer.frame(({ type, flags }) => type === SETTINGS && flags === 0);
          peer.write(SETTINGS, ACK, 0, Buffer.alloc(0));
          let streamId = 1;

          for (const step of steps) {
            if ('tableBytes' in step) {
              await resizeTable(session, peer, encoder, step.tableBytes);
              continue;
            }
            const its = templates[step.template % templates.length] as RequestTemplate;
            const target = Buffer.alloc(encoder.boundOf(its, step.path, step.fields));
            const end = encoder.encodeRequest(its, step.path, step.fields, target, 0);
            const seen = once(session, 'stream');
            const block = target.subarray(0, end);
            peer.write(HEADERS, END_STREAM | END_HEADERS, streamId, block);
            streamId += 2;
            const [stream, , , rawHeaders] = await seen;
            stream.respond({ ':status': 204 }, { endStream: true });

            expect(rawHeaders).toEqual(
              [
                ...its.pseudo,
                [':path', step.path],
                ...its.shared,
                ...its.own,
                ...its.secret,
                ...step.fields,
              ].flat(),
            );
          }
          session.destroy();
          socket.destroy();
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** The other end of a connection, frame by frame. */
class Peer {
  readonly #socket: Socket;
  readonly #frames: AsyncIterableIterator<Frame[]>;

  constructor(socket: Socket, prefaceBytes: number) {
    this.#socket = socket;
    const frames = new EventEmitter();
    this.#frames = on(frames, 'frame') as AsyncIterableIterator<Frame[]>;
    let unread = Buffer.alloc(0);
    let skip = prefaceBytes;
    socket.on('error', () => undefined);
    opened.push(() => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      if (unread.length < skip) return;
      unread = unread.subarray(skip);
      skip = 0;
      while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
        const end = 9 + unread.readUIntBE(0, 3);
        frames.emit('frame', {
          type: unread[3],
          flags: unread[4],
          streamId: unread.readUInt32BE(5),
          payload: unread.subarray(9, end),
        });
        unread = unread.subarray(end);
      }
    });
  }

  write(type: number, flags: number, streamId: number, payload: Buffer): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(streamId, 5);
    this.#socket.write(Buffer.concat([head, payload]));
  }

  /** The next frame that has it; others before it are dropped. */
  async frame(isIt: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const next = await this.#frames.next();
      const frame = next.value[0] as Frame;
      if (isIt(frame)) return frame;
    }
  }

  async headerBlock(): Promise<{ streamId: number; block: Buffer }> {
    const isPart = ({ type }: Frame) => type === HEADERS || type === CONTINUATION;
    const parts: Buffer[] = [];
    for (;;) {
      const { flags, streamId, payload } = await this.frame(isPart);
      parts.push(payload);
      if ((flags & END_HEADERS) !== 0) return { streamId, block: Buffer.concat(parts) };
    }
  }
}

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

function openDecoder(maxTableBytes: number): HpackDecoder {
  return new HpackDecoder({ maxTableBytes, maxListBytes: 65_536 });
}

async function encodedByNode(fields: readonly [string, string][]): Promise<Buffer> {
  const server = net.createServer();
  await listening(server);
  const client = http2.connect(origin(server));
  opened.push(() => client.destroy());
  const [socket] = (await once(server, 'connection')) as [Socket];
  const open = fields.map(([its, value]): [string, string, boolean] => [its, value, false]);
  client.request(toNodeHeaders({ path: '/', fields: open })).on('error', () => undefined);
  const { block } = await new Peer(socket, PREFACE.length).headerBlock();
  return block;
}

/** Node changes its table when it gets the acknowledgement, and expects to hear of it in the next block. */
async function resizeTable(
  session: ServerHttp2Session,
  peer: Peer,
  encoder: HpackEncoder,
  tableBytes: number,
): Promise<void> {
  const settings = settingsOf(tableBytes);
  const done = new Promise<void>((resolve) => {
    session.settings({ headerTableSize: tableBytes }, () => resolve());
  });
  await peer.frame(({ type, payload }) => type === SETTINGS && payload.equals(settings));
  encoder.setMaxTableBytes(tableBytes);
  peer.write(SETTINGS, ACK, 0, Buffer.alloc(0));
  await done;
}

function settingsOf(tableBytes: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(HEADER_TABLE_SIZE, 0);
  payload.writeUInt32BE(tableBytes, 2);
  return payload;
}

function toNodeHeaders({
  path: itsPath,
  fields,
}: {
  path: string;
  fields: readonly (readonly [string, string, boolean])[];
}): OutgoingHttpHeaders {
  return {
    ':method': 'PUT',
    ':scheme': 'https',
    ':authority': 'a.example',
    ':path': itsPath,
    ...Object.fromEntries(fields),
    [http2.sensitiveHeaders]: fields.filter(([, , secret]) => secret).map(([itsName]) => itsName),
  };
}

async function listening(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(() => server.close());
}

function origin(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
