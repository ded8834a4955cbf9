import { ProtocolError } from './protocol-error.ts';
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES, readUint31 } from './frames.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/** A whole frame. One object serves for all of them: it is valid until the handler returns. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** Holds the payload, from `start` to `end`. */
  readonly source: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Cuts what comes off a socket into frames, however it was split on the way. Holds one frame at most. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  readonly #frame = { type: 0, flags: 0, streamId: 0, source: NOTHING, start: 0, end: 0 };
  /** A frame that has not come whole yet. */
  #partial: Buffer | undefined;
  #partialBytes = 0;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Throws `ProtocolError` for a frame that is too long, and whatever the handler throws. */
  read(source: Buffer): void {
    let offset = this.#partialBytes === 0 ? 0 : this.#complete(source);
    while (offset < source.length) {
      const end = findEnd(source, offset);
      if (end === undefined || end > source.length) return this.#keep(source, offset);
      this.#hand(source, offset, end);
      offset = end;
    }
  }

  /** Adds what the partial frame lacks, and hands it on once it is whole. Answers where the next one begins. */
  #complete(source: Buffer): number {
    let offset = 0;
    for (;;) {
      const partial = (this.#partial ??= Buffer.allocUnsafe(FRAME_HEADER_BYTES + MAX_FRAME_BYTES));
      const whole = findEnd(partial.subarray(0, this.#partialBytes), 0);
      if (whole === this.#partialBytes) break;
      const missing = (whole ?? FRAME_HEADER_BYTES) - this.#partialBytes;
      const copied = source.copy(partial, this.#partialBytes, offset, offset + missing);
      this.#partialBytes += copied;
      offset += copied;
      if (copied < missing) return offset;
    }
    const bytes = this.#partialBytes;
    this.#partialBytes = 0;
    if (this.#partial !== undefined) this.#hand(this.#partial, 0, bytes);
    return offset;
  }

  #keep(source: Buffer, offset: number): void {
    this.#partial ??= Buffer.allocUnsafe(FRAME_HEADER_BYTES + MAX_FRAME_BYTES);
    this.#partialBytes = source.copy(this.#partial, 0, offset);
  }

  #hand(source: Buffer, offset: number, end: number): void {
    const frame = this.#frame;
    frame.type = source[offset + 3] ?? 0;
    frame.flags = source[offset + 4] ?? 0;
    frame.streamId = readUint31(source, offset + 5);
    frame.source = source;
    frame.start = offset + FRAME_HEADER_BYTES;
    frame.end = end;
    this.#onFrame(frame);
  }
}

/** Where the frame at that place ends; undefined while its header has not come whole. */
function findEnd(source: Buffer, offset: number): number | undefined {
  if (source.length - offset < FRAME_HEADER_BYTES) return undefined;
  const length = source.readUIntBE(offset, 3);
  if (length > MAX_FRAME_BYTES) throw new ProtocolError('FRAME_SIZE_ERROR', 'frame too long');
  return offset + FRAME_HEADER_BYTES + length;
}
