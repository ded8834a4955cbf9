import type { TLSSocket } from 'node:tls';

import { NO_ANSWER, NOT_WRITTEN, REFUSED, REFUSED_BY_GOAWAY, toAmbiguous } from './ends.ts';
import { toErrorName, type ErrorName } from './error-codes.ts';
import { expectBytes, expectNoStream, expectPriority, withoutPadding } from './frame-checks.ts';
import { FrameReader, type Frame } from './frame-reader.ts';
import { DEFAULT_WINDOW, FLAG, FRAME, MAX_STREAM_ID, readUint31 } from './frames.ts';
import { toGoawayFrame } from './goaway.ts';
import { HeaderBlocks, MAX_HEADER_LIST_BYTES, type HeaderBlock } from './header-blocks.ts';
import { HpackError } from './hpack/hpack-error.ts';
import type { ConnectionEvents, ConnectionState, Http2Connection } from './http2-connection.ts';
import { ProtocolError } from './protocol-error.ts';
import type { HeaderField, Request, RequestEnd } from './request.ts';
import { Sender } from './sender.ts';
import { applySettings, DEFAULT_SETTINGS, type PeerSettings } from './settings.ts';
import { Stream } from './stream.ts';

/** A stream's window is never widened: a longer body is cut off. */
const MAX_BODY_BYTES = DEFAULT_WINDOW;
/** All bodies together that are on their way to us. */
const RECEIVE_WINDOW = 1_048_576;
/** Deadlines are kept to within this. */
const TICK_MS = 50;
/** For our last words, when the connection ends by us. */
const GOODBYE_MS = 1_000;

export class Connection implements Http2Connection {
  readonly #socket: TLSSocket;
  readonly #events: ConnectionEvents;
  readonly #ownMaxStreams: number;
  readonly #sender: Sender;
  readonly #reader: FrameReader;
  readonly #blocks = new HeaderBlocks();
  readonly #settings: PeerSettings = { ...DEFAULT_SETTINGS };
  readonly #streams = new Map<number, Stream>();
  readonly #pings = new Map<number, (answered: boolean) => void>();
  readonly #closed: Promise<void>;
  readonly #onReady: (failure?: string) => void;
  #state: ConnectionState = 'starting';
  #isReady = false;
  #nextStreamId = 1;
  /** Streams from here on are in our own buffer still. */
  #firstUnwritten = 1;
  #unacknowledged = 0;
  #timer: NodeJS.Timeout | undefined;
  #pingId = 0;
  /** There is room since the last time we said so. */
  #madeRoom = false;

  /** The socket is connected, and has negotiated `h2`. `onReady` is called once the server's settings are there, or never will be. */
  constructor(
    socket: TLSSocket,
    options: {
      readonly maxStreams: number;
      readonly events: ConnectionEvents;
      readonly onReady: (failure?: string) => void;
    },
  ) {
    this.#socket = socket;
    this.#events = options.events;
    this.#ownMaxStreams = options.maxStreams;
    this.#onReady = options.onReady;
    this.#reader = new FrameReader((frame) => this.#onFrame(frame));
    this.#sender = new Sender(socket, {
      settings: this.#settings,
      onFlush: () => {
        this.#firstUnwritten = this.#nextStreamId;
      },
      onWritten: () => {
        this.#madeRoom = true;
        this.#tellCapacity();
      },
    });
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#end('connection_closed');
        resolve();
      });
    });
    // At once, and not when it is closed: what is not written yet would be written in vain.
    socket.on('error', (error) =>
      this.destroy('code' in error ? String(error.code) : error.message),
    );
    socket.once('end', () => this.destroy('connection_closed'));
    this.#sender.start(RECEIVE_WINDOW, MAX_HEADER_LIST_BYTES);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get inFlight(): number {
    return this.#streams.size;
  }

  get maxStreams(): number {
    return Math.min(this.#ownMaxStreams, this.#settings.maxConcurrentStreams);
  }

  get capacity(): number {
    if (this.#state !== 'open' || !this.#sender.hasRoom) return 0;
    return Math.max(0, this.maxStreams - this.#streams.size);
  }

  /** What the socket read. */
  read(source: Buffer): void {
    if (this.#state === 'closed') return;
    try {
      this.#reader.read(source);
    } catch (error) {
      this.#fail(error);
    }
    // Not amidst the frames: no event comes before the caller has the connection.
    if (!this.#isReady && this.#state === 'open') {
      this.#isReady = true;
      this.#madeRoom = false;
      return this.#onReady();
    }
    this.#tellCapacity();
  }

  request(request: Request): boolean {
    if (this.capacity === 0) return false;
    const stream = new Stream(
      this.#nextStreamId,
      request,
      performance.now() + request.deadlineMs,
      this.#settings.initialWindowSize,
    );
    this.#sender.sendRequest(stream);
    this.#nextStreamId += 2;
    this.#streams.set(stream.id, stream);
    if (stream.unsent !== undefined) this.#sender.sendBody(stream, stream.unsent);
    // After what the socket holds was read: an answer that waited there, while we were busy, is in time.
    this.#timer ??= setInterval(() => setImmediate(() => this.#tick()), TICK_MS);
    if (this.#nextStreamId > MAX_STREAM_ID) this.#state = 'draining';
    return true;
  }

  ping(timeoutMs: number): Promise<boolean> {
    if (this.#state === 'closed') return Promise.resolve(false);
    const id = this.#pingId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(false), timeoutMs);
      const settle = (answered: boolean) => {
        clearTimeout(timer);
        this.#pings.delete(id);
        resolve(answered);
      };
      this.#pings.set(id, settle);
      this.#sender.ping(id);
    });
  }

  drain(timeoutMs: number): Promise<void> {
    if (this.#state === 'open') this.#state = 'draining';
    this.#closeIfDone();
    const timer = setTimeout(() => this.destroy('closing'), timeoutMs);
    return this.#closed.finally(() => clearTimeout(timer));
  }

  destroy(reason: string): void {
    this.#end(reason);
    this.#socket.destroy();
  }

  #onFrame(frame: Frame): void {
    if (this.#state === 'closed') return;
    const { type } = frame;
    if (this.#state === 'starting' && (type !== FRAME.settings || frame.flags & FLAG.ack))
      throw new ProtocolError('PROTOCOL_ERROR', 'the first frame must be settings');
    if (this.#blocks.isOpen && type !== FRAME.continuation)
      throw new ProtocolError('PROTOCOL_ERROR', 'a header block was interrupted');
    switch (type) {
      case FRAME.headers:
        return this.#onHeaders(frame);
      case FRAME.data:
        return this.#onData(frame);
      case FRAME.continuation:
        return this.#onBlock(this.#blocks.continue(frame));
      case FRAME.rstStream:
        return this.#onRstStream(frame);
      case FRAME.windowUpdate:
        return this.#onWindowUpdate(frame);
      case FRAME.settings:
        return this.#onSettings(frame);
      case FRAME.ping:
        return this.#onPing(frame);
      case FRAME.goaway:
        return this.#onGoaway(frame);
      case FRAME.pushPromise:
        throw new ProtocolError('PROTOCOL_ERROR', 'push is disabled');
      case FRAME.priority:
        return expectPriority(frame);
      default:
        // Unknown ones are to be ignored.
        return;
    }
  }

  #onHeaders(frame: Frame): void {
    this.#expectOpened(frame);
    this.#onBlock(this.#blocks.begin(frame));
  }

  /** Decoded was also a block of a stream that has ended: the peer's table goes on. */
  #onBlock(block: HeaderBlock | undefined): void {
    const stream = block && this.#streams.get(block.streamId);
    if (block === undefined || stream === undefined) return;
    const { fields, isLast } = block;
    if (fields === undefined) return this.#reset(stream, 'ENHANCE_YOUR_CALM');
    if (stream.status !== undefined) {
      if (!isLast) return this.#reset(stream, 'PROTOCOL_ERROR');
    } else {
      const status = findStatus(fields);
      if (status === undefined || (status < 200 && isLast))
        return this.#reset(stream, 'PROTOCOL_ERROR');
      // The answer itself is still to come.
      if (status < 200) return;
      stream.status = status;
    }
    stream.addFields(fields);
    if (isLast) this.#complete(stream);
  }

  #onData(frame: Frame): void {
    this.#expectOpened(frame);
    const [start, end] = withoutPadding(frame);
    const bytes = frame.end - frame.start;
    this.#countReceived(bytes);
    const stream = this.#streams.get(frame.streamId);
    if (stream === undefined) return;
    if (stream.status === undefined) return this.#reset(stream, 'PROTOCOL_ERROR');
    stream.receivedBytes += bytes;
    if (stream.receivedBytes > MAX_BODY_BYTES) return this.#reset(stream, 'FLOW_CONTROL_ERROR');
    stream.addBody(frame.source, start, end);
    if (frame.flags & FLAG.endStream) this.#complete(stream);
    else if (stream.receivedBytes === MAX_BODY_BYTES) this.#reset(stream, 'CANCEL');
  }

  /** Gives the peer back half of the window at a time, and so before it could be used up. */
  #countReceived(bytes: number): void {
    this.#unacknowledged += bytes;
    if (this.#unacknowledged < RECEIVE_WINDOW / 2) return;
    this.#sender.widenReceiveWindow(this.#unacknowledged);
    this.#unacknowledged = 0;
  }

  #onRstStream(frame: Frame): void {
    this.#expectOpened(frame);
    expectBytes(frame, 4);
    const stream = this.#streams.get(frame.streamId);
    if (stream === undefined) return;
    const code = toErrorName(frame.source.readUInt32BE(frame.start));
    const end = code === 'REFUSED_STREAM' ? REFUSED : toAmbiguous(code);
    this.#finish(stream, stream.toEnd(false, end));
  }

  #onWindowUpdate(frame: Frame): void {
    const { streamId } = frame;
    if (streamId !== 0) this.#expectOpened(frame);
    expectBytes(frame, 4);
    const increment = readUint31(frame.source, frame.start);
    this.#madeRoom = true;
    if (streamId === 0) return this.#sender.widen(increment);
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    if (increment === 0) return this.#reset(stream, 'PROTOCOL_ERROR');
    if (!this.#sender.widenStream(stream, increment)) this.#reset(stream, 'FLOW_CONTROL_ERROR');
  }

  #onSettings(frame: Frame): void {
    expectNoStream(frame);
    if (frame.flags & FLAG.ack) return expectBytes(frame, 0);
    const windowBefore = this.#settings.initialWindowSize;
    applySettings(this.#settings, frame.source, frame.start, frame.end);
    this.#sender.adopt(windowBefore, this.#streams.values());
    this.#sender.answerSettings();
    this.#madeRoom = true;
    if (this.#state === 'starting') this.#state = 'open';
  }

  #onPing(frame: Frame): void {
    expectNoStream(frame);
    expectBytes(frame, 8);
    const first = frame.source.readUInt32BE(frame.start);
    const second = frame.source.readUInt32BE(frame.start + 4);
    if (frame.flags & FLAG.ack) this.#pings.get(second)?.(true);
    else this.#sender.answerPing(first, second);
  }

  /** May come several times, with ids that go down: first that it will end, then from which stream on. */
  #onGoaway(frame: Frame): void {
    expectNoStream(frame);
    const { source, start, end } = frame;
    if (end - start < 8) throw new ProtocolError('FRAME_SIZE_ERROR', 'goaway cut short');
    const lastStreamId = readUint31(source, start);
    const code = toErrorName(source.readUInt32BE(start + 4));
    const debug = source.toString('utf8', start + 8, end);
    this.#state = 'draining';
    this.#events.onGoaway({ code, lastStreamId, debug });
    for (const stream of this.#streams.values())
      if (stream.id > lastStreamId) this.#finish(stream, stream.toEnd(false, REFUSED_BY_GOAWAY));
    if (this.#isReady) this.#closeIfDone();
    else this.#sayGoodbye('NO_ERROR', 'goaway');
  }

  /** The peer knows the stream: we opened it, some time ago. */
  #expectOpened({ streamId }: Frame): void {
    if (streamId % 2 === 0 || streamId >= this.#nextStreamId)
      throw new ProtocolError('PROTOCOL_ERROR', 'a frame of a stream that was never opened');
  }

  #complete(stream: Stream): void {
    // The server needed no more than that; what it does not want is not sent.
    if (this.#sender.forget(stream)) this.#sender.reset(stream, 'CANCEL');
    this.#finish(stream, stream.toEnd(true, NO_ANSWER));
  }

  #reset(stream: Stream, code: ErrorName, reason: string = code): void {
    this.#sender.reset(stream, code);
    this.#finish(stream, stream.toEnd(false, toAmbiguous(reason)));
  }

  #finish(stream: Stream, end: RequestEnd): void {
    this.#streams.delete(stream.id);
    this.#madeRoom = true;
    this.#sender.forget(stream);
    stream.request.onEnd(end);
    if (this.#state === 'draining') this.#closeIfDone();
  }

  #tick(): void {
    if (this.#streams.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    for (const stream of this.#streams.values())
      if (stream.deadlineAtMs <= now) this.#reset(stream, 'CANCEL', 'timeout');
    this.#tellCapacity();
  }

  /** Once for all that a read brought. */
  #tellCapacity(): void {
    if (!this.#madeRoom || this.capacity === 0) return;
    this.#madeRoom = false;
    this.#events.onCapacity();
  }

  #closeIfDone(): void {
    if (this.#state === 'draining' && this.#streams.size === 0)
      this.#sayGoodbye('NO_ERROR', 'closing');
  }

  #fail(error: unknown): void {
    if (!(error instanceof ProtocolError) && !(error instanceof HpackError)) throw error;
    const code = error instanceof ProtocolError ? error.code : 'COMPRESSION_ERROR';
    this.#sayGoodbye(code, code);
  }

  /** Ends the connection, and tells the peer why. What was not written yet is not written any more. */
  #sayGoodbye(code: ErrorName, reason: string): void {
    if (this.#state === 'closed') return;
    this.#end(reason);
    this.#socket.end(toGoawayFrame(code));
    const timer = setTimeout(() => this.#socket.destroy(), GOODBYE_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  /** Ends everything that is under way, once. */
  #end(reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearInterval(this.#timer);
    this.#sender.close();
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const settle of this.#pings.values()) settle(false);
    for (const stream of streams) stream.request.onEnd(this.#toLastEnd(stream, reason));
    if (this.#isReady) this.#events.onClose(reason);
    else this.#onReady(reason);
  }

  #toLastEnd(stream: Stream, reason: string): RequestEnd {
    if (stream.id >= this.#firstUnwritten) return NOT_WRITTEN;
    return stream.toEnd(false, toAmbiguous(reason));
  }
}

/** `:status`, three digits; undefined for anything else. */
function findStatus(fields: readonly HeaderField[]): number | undefined {
  const [first] = fields;
  if (first?.[0] !== ':status' || !/^[1-5]\d\d$/.test(first[1])) return undefined;
  return Number(first[1]);
}
