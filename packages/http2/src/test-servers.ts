import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { SecureServerOptions } from 'node:http2';
import type { Server, Socket } from 'node:net';
import { createSecureContext, createServer, type TLSSocket } from 'node:tls';

import { createAuthority, createServerCertificate } from '@heliograph/sandbox';

import { connectHttp2, type ConnectOptions } from './connect.ts';
import { FRAME, FRAME_HEADER_BYTES, SETTING, writeFrameHeader } from './frames.ts';
import type { Goaway, Http2Connection } from './http2-connection.ts';
import { RequestTemplate } from './request-template.ts';
import type { HeaderField, Request, RequestEnd } from './request.ts';

const PREFACE_BYTES = 24;
const AUTHORITY = createAuthority(new Date());

/** What a test's servers show, and its connections trust. */
export const IDENTITY = {
  ca: AUTHORITY.caPem,
  ...createServerCertificate(AUTHORITY, new Date()),
};

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** A request that a test sent, and every end that it was told. */
export interface Sent {
  readonly ends: readonly RequestEnd[];
  readonly ended: Promise<RequestEnd>;
}

/** A connection under test, and what it told. */
export interface Probe {
  readonly connection: Http2Connection;
  readonly goaways: readonly Goaway[];
  readonly closes: readonly string[];
  /** Resolves with the reason. */
  readonly closed: Promise<string>;
  /** Throws where there is no capacity. */
  readonly send: (request?: Partial<Request>) => Sent;
  /** Resolves when it next says that it has capacity, or at once where it has. */
  readonly hasCapacity: () => Promise<void>;
}

/** The other end of a connection, by hand. */
export class RawPeer {
  readonly socket: TLSSocket;
  readonly frames: ReceivedFrame[] = [];
  #unread = Buffer.alloc(0);
  #hasPreface = false;
  #pings = 0;
  readonly #waiting = new Set<() => void>();

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => {});
    socket.on('close', () => this.#wake());
  }

  send(...frames: readonly Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  /** The first frame of that kind, which may have come before. Rejects when the connection ends without. */
  async receive(isIt: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame> {
    for (;;) {
      const found = this.frames.find(isIt);
      if (found !== undefined) return found;
      if (this.socket.closed) throw new Error('the connection ended without that frame');
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  receiveType(type: number, streamId?: number): Promise<ReceivedFrame> {
    return this.receive(
      (it) => it.type === type && (streamId === undefined || it.streamId === streamId),
    );
  }

  /** Resolves once everything that was sent so far is processed at the other end. */
  async settle(): Promise<void> {
    const id = uint32(0xfeed, ++this.#pings);
    this.send(frame(FRAME.ping, 0, 0, id));
    await this.receive(({ type, payload }) => type === FRAME.ping && payload.equals(id));
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    if (!this.#hasPreface) {
      if (this.#unread.length < PREFACE_BYTES) return;
      this.#unread = this.#unread.subarray(PREFACE_BYTES);
      this.#hasPreface = true;
    }
    while (this.#unread.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < end) break;
      this.frames.push({
        type: this.#unread[3] ?? 0,
        flags: this.#unread[4] ?? 0,
        streamId: this.#unread.readUInt32BE(5),
        payload: Buffer.from(this.#unread.subarray(FRAME_HEADER_BYTES, end)),
      });
      this.#unread = this.#unread.subarray(end);
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** The servers and connections of one test; `close` ends them all. */
export class TestServers {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #probes: Probe[] = [];

  /** A server of hand-made frames. `onPeer` is called for each connection, once TLS is there. */
  async raw(onPeer: (peer: RawPeer) => void): Promise<number> {
    const server = createServer(
      { cert: IDENTITY.certPem, key: IDENTITY.keyPem, ALPNProtocols: ['h2'] },
      (socket) => onPeer(new RawPeer(socket)),
    );
    return this.#listen(server);
  }

  /** A server of node's. */
  async node(
    onStream: (stream: ServerHttp2Stream, path: string) => void,
    options: SecureServerOptions = {},
  ): Promise<{ readonly port: number; readonly server: Http2SecureServer }> {
    const server = createSecureServer({
      cert: IDENTITY.certPem,
      key: IDENTITY.keyPem,
      ...options,
    });
    server.on('sessionError', () => {});
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      onStream(stream, String(headers[':path']));
    });
    return { port: await this.#listen(server), server };
  }

  async connect(port: number, options: Partial<ConnectOptions> = {}): Promise<Probe> {
    const goaways: Goaway[] = [];
    const closes: string[] = [];
    const closed = createDeferred<string>();
    let capacity = createDeferred<void>();
    const connection = await connectHttp2({
      host: '127.0.0.1',
      port,
      secureContext: createSecureContext({ ca: IDENTITY.ca }),
      timeoutMs: 10_000,
      maxStreams: 1000,
      events: {
        onCapacity: () => {
          capacity.resolve();
          capacity = createDeferred();
        },
        onGoaway: (goaway) => goaways.push(goaway),
        onClose: (reason) => {
          closes.push(reason);
          closed.resolve(reason);
        },
      },
      ...options,
    });
    const probe: Probe = {
      connection,
      goaways,
      closes,
      closed: closed.promise,
      send(request) {
        const sent = trySend(connection, request);
        if (sent === undefined) throw new Error('there is no capacity');
        return sent;
      },
      async hasCapacity() {
        while (connection.capacity === 0) {
          await capacity.promise;
        }
      },
    };
    this.#probes.push(probe);
    return probe;
  }

  /** A connection to a server of hand-made frames that has sent `settings`, and that server's end of it. */
  async pair(
    settings: Uint8Array = settingsFrame(),
    options: Partial<ConnectOptions> = {},
  ): Promise<{ readonly probe: Probe; readonly peer: RawPeer }> {
    let peer: RawPeer | undefined;
    const port = await this.raw((accepted) => {
      peer = accepted;
      accepted.send(settings);
    });
    const probe = await this.connect(port, options);
    if (peer === undefined) throw new Error('nobody has connected');
    return { probe, peer };
  }

  /** Breaks all connections off as TCP does (RST), without a word by TLS or HTTP/2. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const { connection } of this.#probes) connection.destroy('test_over');
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      this.#servers.map(async (server) => {
        server.close();
        await once(server, 'close');
      }),
    );
    this.#probes.length = 0;
    this.#servers.length = 0;
  }

  async #listen(server: Server): Promise<number> {
    this.#servers.push(server);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('not listening');
    return address.port;
  }
}

export const TEMPLATE = new RequestTemplate({
  method: 'POST',
  authority: 'push.example',
  shared: [['apns-topic', 'com.example.app']],
  own: [['apns-expiration', '1700000000']],
  secret: [['authorization', 'bearer secret']],
});

/** Undefined where there is no capacity. */
export function trySend(
  connection: Http2Connection,
  request: Partial<Request> = {},
): Sent | undefined {
  const ends: RequestEnd[] = [];
  const ended = createDeferred<RequestEnd>();
  const taken = connection.request({
    template: TEMPLATE,
    path: '/3/device/00',
    fields: [],
    body: '{}',
    deadlineMs: 60_000,
    ...request,
    onEnd: (end) => {
      ends.push(end);
      request.onEnd?.(end);
      ended.resolve(end);
    },
  });
  return taken ? { ends, ended: ended.promise } : undefined;
}

export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | readonly number[] = [],
): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  bytes.set(payload, writeFrameHeader(bytes, 0, payload.length, type, flags, streamId));
  return bytes;
}

export function settingsFrame(
  settings: Partial<Record<keyof typeof SETTING, number>> = {},
): Buffer {
  const payload = Object.entries(SETTING).flatMap(([name, id]) =>
    Object.entries(settings)
      .filter(([given]) => given === name)
      .flatMap(([, value]) => [0, id, ...uint32(value)]),
  );
  return frame(FRAME.settings, 0, 0, payload);
}

export function uint32(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, i) => bytes.writeUInt32BE(number, i * 4));
  return bytes;
}

/** A header block of literals of up to 126 bytes: no table is used. */
export function block(...fields: readonly HeaderField[]): Buffer {
  return Buffer.from(fields.flatMap(([name, value]) => [0, ...literal(name), ...literal(value)]));
}

function literal(text: string): readonly number[] {
  return [text.length, ...Buffer.from(text, 'latin1')];
}

function createDeferred<T>() {
  let settle: ((value: T) => void) | undefined;
  const promise = new Promise<T>((resolve) => (settle = resolve));
  return { promise, resolve: (value: T) => settle?.(value) };
}

export const OK = block([':status', '200']);
