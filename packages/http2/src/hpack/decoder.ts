import type { HeaderField } from '../request.ts';
import { BlockReader } from './block-reader.ts';
import { DynamicTable, sizeOfField } from './dynamic-table.ts';
import { HpackError } from './hpack-error.ts';
import { STATIC_ENTRIES, staticEntry } from './static-table.ts';

/** RFC 9113 section 6.5.2: the table that both sides begin with. */
const INITIAL_TABLE_BYTES = 4096;

/** Decodes the header blocks of one connection, in the order in which they came (RFC 7541). */
export class HpackDecoder {
  readonly #maxTableBytes: number;
  readonly #maxListBytes: number;
  readonly #table: DynamicTable;
  readonly #reader = new BlockReader();
  /** We announced less than the table that the peer begins with, and it has not said yet that it knows. */
  #isUpdateOwed: boolean;

  /** @param limits what we announce as SETTINGS_HEADER_TABLE_SIZE and SETTINGS_MAX_HEADER_LIST_SIZE */
  constructor(limits: { readonly maxTableBytes: number; readonly maxListBytes: number }) {
    this.#maxTableBytes = limits.maxTableBytes;
    this.#maxListBytes = limits.maxListBytes;
    const initialBytes = Math.min(INITIAL_TABLE_BYTES, limits.maxTableBytes);
    this.#table = new DynamicTable(limits.maxTableBytes, initialBytes);
    this.#isUpdateOwed = limits.maxTableBytes < INITIAL_TABLE_BYTES;
  }

  /**
   * One whole header block. Undefined where its list is larger than `maxListBytes`; the decoder goes on.
   * Throws `HpackError` where it is malformed; the decoder is of no use from then on.
   */
  decode(block: Buffer, start: number, end: number): readonly HeaderField[] | undefined {
    this.#reader.open(block, start, end);
    this.#readSizeUpdates();
    return this.#readFields();
  }

  #readSizeUpdates(): void {
    while (!this.#reader.isAtEnd && (this.#reader.peek() & 0xe0) === 0x20) {
      const bytes = this.#reader.readInteger(0x1f);
      if (bytes > this.#maxTableBytes) throw new HpackError('table larger than announced');
      this.#table.resize(bytes);
      this.#isUpdateOwed = false;
    }
    // Else its table and ours would differ from here on, and fields be taken for others.
    if (this.#isUpdateOwed) throw new HpackError('the announced table size is ignored');
  }

  #readFields(): readonly HeaderField[] | undefined {
    const fields: HeaderField[] = [];
    let bytes = 0;
    while (!this.#reader.isAtEnd) {
      const field = this.#readField();
      bytes += sizeOfField(field);
      // What follows is read for the sake of the table alone.
      if (bytes <= this.#maxListBytes) fields.push(field);
    }
    return bytes <= this.#maxListBytes ? fields : undefined;
  }

  #readField(): HeaderField {
    const octet = this.#reader.peek();
    if ((octet & 0x80) !== 0) return this.#entryAt(this.#reader.readInteger(0x7f));
    if ((octet & 0x40) !== 0) {
      const field = this.#readLiteral(0x3f);
      this.#table.insert(field);
      return field;
    }
    if ((octet & 0x20) !== 0) throw new HpackError('table size update within a block');
    // Without indexing, or never indexed: the same to whoever does not pass it on.
    return this.#readLiteral(0x0f);
  }

  #readLiteral(mask: number): HeaderField {
    const index = this.#reader.readInteger(mask);
    const name = index === 0 ? this.#reader.readString() : this.#entryAt(index)[0];
    return [name, this.#reader.readString()];
  }

  #entryAt(index: number): HeaderField {
    const entry =
      index <= STATIC_ENTRIES ? staticEntry(index) : this.#table.at(index - STATIC_ENTRIES);
    if (entry === undefined) throw new HpackError('index of no entry');
    return entry;
  }
}
