import { withoutPadding } from './frame-checks.ts';
import type { Frame } from './frame-reader.ts';
import { FLAG, FRAME_HEADER_BYTES } from './frames.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { ProtocolError } from './protocol-error.ts';
import type { HeaderField } from './request.ts';

/** A header list that came whole. */
export interface HeaderBlock {
  readonly streamId: number;
  /** The stream ends with it. */
  readonly isLast: boolean;
  /** Undefined where there are more of them than we take. */
  readonly fields: readonly HeaderField[] | undefined;
}

/** What we take of headers in one list, by the count of RFC 7541, section 4.1. */
export const MAX_HEADER_LIST_BYTES = 16_384;
/** What `HEADER_TABLE_SIZE` is unless announced otherwise. */
const TABLE_BYTES = 4096;
/** Bounds what a flood of CONTINUATION frames can make us keep, empty ones included. */
const MAX_BLOCK_BYTES = 65_536;
const PRIORITY_BYTES = 5;

/** Puts header blocks together from their frames, and decodes them in the order they come, as HPACK wants it. */
export class HeaderBlocks {
  readonly #decoder = new HpackDecoder({
    maxTableBytes: TABLE_BYTES,
    maxListBytes: MAX_HEADER_LIST_BYTES,
  });
  #open: { streamId: number; flags: number; pieces: Buffer[]; bytes: number } | undefined;

  /** A block has begun: the next frame must continue it. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Takes a HEADERS frame; answers the block where that was all of it. Throws `ProtocolError` and `HpackError`. */
  begin(frame: Frame): HeaderBlock | undefined {
    const { flags, streamId, source } = frame;
    const [from, end] = withoutPadding(frame);
    const start = flags & FLAG.priority ? from + PRIORITY_BYTES : from;
    if (start > end) throw new ProtocolError('FRAME_SIZE_ERROR', 'headers cut short');
    if (flags & FLAG.endHeaders) return this.#decode(streamId, flags, source, start, end);
    const pieces = [Buffer.from(source.subarray(start, end))];
    this.#open = { streamId, flags, pieces, bytes: end - start };
    return undefined;
  }

  /** Takes a CONTINUATION frame, like `begin`. */
  continue({ flags, streamId, source, start, end }: Frame): HeaderBlock | undefined {
    const block = this.#open;
    if (block === undefined || block.streamId !== streamId)
      throw new ProtocolError('PROTOCOL_ERROR', 'a continuation of nothing');
    block.bytes += FRAME_HEADER_BYTES + end - start;
    if (block.bytes > MAX_BLOCK_BYTES)
      throw new ProtocolError('ENHANCE_YOUR_CALM', 'header block too long');
    block.pieces.push(Buffer.from(source.subarray(start, end)));
    if (!(flags & FLAG.endHeaders)) return undefined;
    this.#open = undefined;
    const whole = Buffer.concat(block.pieces);
    return this.#decode(streamId, block.flags, whole, 0, whole.length);
  }

  #decode(
    streamId: number,
    flags: number,
    source: Buffer,
    start: number,
    end: number,
  ): HeaderBlock {
    const fields = this.#decoder.decode(source, start, end);
    return { streamId, isLast: (flags & FLAG.endStream) !== 0, fields };
  }
}
