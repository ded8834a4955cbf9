import type { TLSSocket } from 'node:tls';

import { toErrorCode, type ErrorName } from './error-codes.ts';
import {
  DEFAULT_WINDOW,
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  MAX_WINDOW,
  SETTING,
  writeFrameHeader,
} from './frames.ts';
import { HpackEncoder } from './hpack/encoder.ts';
import { Output } from './output.ts';
import { ProtocolError } from './protocol-error.ts';
import type { PeerSettings } from './settings.ts';
import type { Stream } from './stream.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** A socket that is so far behind takes no more requests. */
const MAX_PENDING_BYTES = 262_144;
/** A peer that lets answers to its own pings and settings pile up to that does not read. */
const MAX_PENDING_CONTROL_BYTES = 1_048_576;

export interface SenderOptions {
  readonly settings: Readonly<PeerSettings>;
  /** Everything that was written so far went to the socket. */
  readonly onFlush: () => void;
  /** The socket got rid of something. */
  readonly onWritten: () => void;
}

/** The writing half of a connection: requests in frames, within the windows that the peer grants. */
export class Sender {
  readonly #settings: Readonly<PeerSettings>;
  readonly #output: Output;
  readonly #encoder = new HpackEncoder();
  /** Streams whose body waits for a window. */
  readonly #blocked = new Set<Stream>();
  #window = DEFAULT_WINDOW;

  constructor(socket: TLSSocket, { settings, onFlush, onWritten }: SenderOptions) {
    this.#settings = settings;
    this.#output = new Output(socket, { onFlush, onWritten });
  }

  /** Whether another request would go out now. One whose body waits for its own stream's window is not in the way. */
  get hasRoom(): boolean {
    return this.#window > 0 && this.#output.pendingBytes <= MAX_PENDING_BYTES;
  }

  /** What a client begins with. The peer may have `receiveWindow` bytes of bodies on their way to us. */
  start(receiveWindow: number, maxHeaderListBytes: number): void {
    const target = this.#output.reserve(PREFACE.length);
    this.#output.commit(this.#output.offset + PREFACE.copy(target, this.#output.offset));
    const payload = Buffer.allocUnsafe(12);
    let at = payload.writeUInt16BE(SETTING.enablePush, 0);
    at = payload.writeUInt32BE(0, at);
    at = payload.writeUInt16BE(SETTING.maxHeaderListSize, at);
    payload.writeUInt32BE(maxHeaderListBytes, at);
    this.#writeFrame(FRAME.settings, 0, 0, payload);
    this.widenReceiveWindow(receiveWindow - DEFAULT_WINDOW);
  }

  /**
   * All of it, in the usual case. Else the headers, and the body becomes what is `unsent` of the stream: it is for `sendBody`.
   * Throws a `TypeError` where the encoder refuses the headers; then nothing was written.
   */
  sendRequest(stream: Stream): void {
    const { template, path, fields, body } = stream.request;
    const { maxFrameSize } = this.#settings;
    const bound = this.#encoder.boundOf(template, path, fields);
    const bodyBound = typeof body === 'string' ? body.length * 3 : body.length;
    const room = Math.min(this.#window, stream.sendWindow, maxFrameSize);
    if (bound <= maxFrameSize && bodyBound <= room)
      return this.#sendAtOnce(stream, bound, bodyBound);
    this.#sendLongHeaders(stream, bound);
    if (bodyBound > 0) stream.unsent = typeof body === 'string' ? Buffer.from(body) : body;
  }

  /** So much of what is left of a body as the windows allow; the rest waits. */
  sendBody(stream: Stream, body: Buffer): void {
    let rest = body;
    while (rest.length > 0) {
      const { maxFrameSize } = this.#settings;
      const bytes = Math.min(rest.length, this.#window, stream.sendWindow, maxFrameSize);
      if (bytes <= 0) break;
      this.#window -= bytes;
      stream.sendWindow -= bytes;
      const flags = bytes === rest.length ? FLAG.endStream : 0;
      this.#writeFrame(FRAME.data, flags, stream.id, rest.subarray(0, bytes));
      rest = rest.subarray(bytes);
    }
    stream.unsent = rest.length === 0 ? undefined : rest;
    if (stream.unsent === undefined) this.#blocked.delete(stream);
    else this.#blocked.add(stream);
  }

  /** Nothing more of its body is sent. Answers whether there was anything left of it. */
  forget(stream: Stream): boolean {
    return this.#blocked.delete(stream);
  }

  reset(stream: Stream, code: ErrorName): void {
    this.#write(FRAME.rstStream, 0, stream.id, [toErrorCode(code)]);
  }

  ping(id: number): void {
    this.#write(FRAME.ping, 0, 0, [0, id]);
  }

  answerPing(first: number, second: number): void {
    this.#expectReader();
    this.#write(FRAME.ping, FLAG.ack, 0, [first, second]);
  }

  answerSettings(): void {
    this.#expectReader();
    this.#write(FRAME.settings, FLAG.ack, 0, []);
  }

  widenReceiveWindow(bytes: number): void {
    this.#write(FRAME.windowUpdate, 0, 0, [bytes]);
  }

  /** The settings have changed. */
  adopt(initialWindowBefore: number, streams: Iterable<Stream>): void {
    this.#encoder.setMaxTableBytes(this.#settings.headerTableSize);
    const difference = this.#settings.initialWindowSize - initialWindowBefore;
    if (difference === 0) return;
    for (const stream of streams) {
      stream.sendWindow += difference;
      if (stream.sendWindow > MAX_WINDOW)
        throw new ProtocolError('FLOW_CONTROL_ERROR', 'window too large');
    }
    this.#sendBlocked();
  }

  widen(increment: number): void {
    if (increment === 0) throw new ProtocolError('PROTOCOL_ERROR', 'a window grew by nothing');
    this.#window += increment;
    if (this.#window > MAX_WINDOW)
      throw new ProtocolError('FLOW_CONTROL_ERROR', 'window too large');
    this.#sendBlocked();
  }

  /** Answers whether the stream's window may be that large. */
  widenStream(stream: Stream, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.sendWindow > MAX_WINDOW) return false;
    if (stream.unsent !== undefined) this.sendBody(stream, stream.unsent);
    return true;
  }

  close(): void {
    this.#blocked.clear();
    this.#output.close();
  }

  /** The usual case: a frame for the headers, and one for the body. */
  #sendAtOnce(stream: Stream, bound: number, bodyBound: number): void {
    const { template, path, fields, body } = stream.request;
    const target = this.#output.reserve(2 * FRAME_HEADER_BYTES + bound + bodyBound);
    const start = this.#output.offset;
    const blockStart = start + FRAME_HEADER_BYTES;
    const end = this.#encoder.encodeRequest(template, path, fields, target, blockStart);
    const flags = bodyBound === 0 ? FLAG.endHeaders | FLAG.endStream : FLAG.endHeaders;
    writeFrameHeader(target, start, end - blockStart, FRAME.headers, flags, stream.id);
    if (bodyBound === 0) return this.#output.commit(end);

    const bodyStart = end + FRAME_HEADER_BYTES;
    const bytes =
      typeof body === 'string'
        ? target.write(body, bodyStart, 'utf8')
        : body.copy(target, bodyStart);
    writeFrameHeader(target, end, bytes, FRAME.data, FLAG.endStream, stream.id);
    this.#window -= bytes;
    stream.sendWindow -= bytes;
    this.#output.commit(bodyStart + bytes);
  }

  /** In as many frames as it takes, without the body. */
  #sendLongHeaders(stream: Stream, bound: number): void {
    const { template, path, fields, body } = stream.request;
    const { maxFrameSize } = this.#settings;
    const block = Buffer.allocUnsafe(bound);
    const bytes = this.#encoder.encodeRequest(template, path, fields, block, 0);
    // Room for all of them, so that they go to the socket together.
    this.#output.reserve(bytes + Math.ceil(bytes / maxFrameSize) * FRAME_HEADER_BYTES);
    for (let start = 0; start < bytes; start += maxFrameSize) {
      const end = Math.min(bytes, start + maxFrameSize);
      const isFirst = start === 0;
      const flags =
        (end === bytes ? FLAG.endHeaders : 0) | (isFirst && body.length === 0 ? FLAG.endStream : 0);
      const type = isFirst ? FRAME.headers : FRAME.continuation;
      this.#writeFrame(type, flags, stream.id, block.subarray(start, end));
    }
  }

  #sendBlocked(): void {
    for (const stream of this.#blocked) {
      if (this.#window <= 0) return;
      if (stream.unsent !== undefined) this.sendBody(stream, stream.unsent);
    }
  }

  /** What the peer makes us write must not pile up where it does not read. */
  #expectReader(): void {
    if (this.#output.pendingBytes > MAX_PENDING_CONTROL_BYTES)
      throw new ProtocolError('ENHANCE_YOUR_CALM', 'a flood of frames');
  }

  /** A frame whose payload is a few 32-bit numbers. */
  #write(type: number, flags: number, streamId: number, numbers: readonly number[]): void {
    const bytes = numbers.length * 4;
    const target = this.#output.reserve(FRAME_HEADER_BYTES + bytes);
    let at = writeFrameHeader(target, this.#output.offset, bytes, type, flags, streamId);
    for (const number of numbers) at = target.writeUInt32BE(number, at);
    this.#output.commit(at);
  }

  #writeFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    const { length } = payload;
    const target = this.#output.reserve(FRAME_HEADER_BYTES + length);
    const at = writeFrameHeader(target, this.#output.offset, length, type, flags, streamId);
    this.#output.commit(at + payload.copy(target, at));
  }
}
