import { HpackError } from './hpack-error.ts';
import { decodedBound, readHuffman } from './huffman.ts';

/** Four octets after the prefix are 28 bits: more than any length or index that is meant. */
const LONGEST_SHIFT = 21;
const HUFFMAN = 0x80;
/** Strings that may become longer get memory of their own. */
const SCRATCH_BYTES = 4096;

/** Reads the primitives of RFC 7541 section 5 and never beyond the block's end. Throws `HpackError`. */
export class BlockReader {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #block: Buffer = this.#scratch;
  #position = 0;
  #end = 0;

  open(block: Buffer, start: number, end: number): void {
    this.#block = block;
    this.#position = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#end;
  }

  /** The next octet, which stays to be read. */
  peek(): number {
    if (this.#position >= this.#end) throw new HpackError('header block ends too early');
    return this.#block[this.#position] ?? 0;
  }

  /** @param mask the bits of the first octet that belong to the integer */
  readInteger(mask: number): number {
    const prefix = this.#next() & mask;
    if (prefix < mask) return prefix;
    let value = mask;
    for (let shift = 0; shift <= LONGEST_SHIFT; shift += 7) {
      const octet = this.#next();
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    throw new HpackError('integer of too many octets');
  }

  readString(): string {
    const isHuffman = (this.peek() & HUFFMAN) !== 0;
    const length = this.readInteger(0x7f);
    const start = this.#position;
    if (length > this.#end - start) throw new HpackError('string beyond the end of its block');
    this.#position = start + length;
    if (isHuffman) return this.#decode(start, this.#position);
    return this.#block.toString('latin1', start, this.#position);
  }

  #next(): number {
    const octet = this.peek();
    this.#position++;
    return octet;
  }

  #decode(start: number, end: number): string {
    const bound = decodedBound(end - start);
    const target = bound > SCRATCH_BYTES ? Buffer.allocUnsafe(bound) : this.#scratch;
    return target.toString('latin1', 0, readHuffman(this.#block, start, end, target));
  }
}
