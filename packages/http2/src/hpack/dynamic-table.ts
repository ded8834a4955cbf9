import type { HeaderField } from '../request.ts';

/** RFC 7541 section 4.1: what an entry counts for beyond its octets. */
const ENTRY_OVERHEAD = 32;
const NO_FIELD: HeaderField = ['', ''];

/** As the dynamic table and the limit of a header list count it, in bytes. */
export function sizeOfField(field: HeaderField): number {
  return field[0].length + field[1].length + ENTRY_OVERHEAD;
}

/** RFC 7541 section 2.3.2. A ring, so that neither an insertion nor an eviction moves entries. */
export class DynamicTable {
  readonly #ring: HeaderField[] = [];
  readonly #mask: number;
  #newest = -1;
  #length = 0;
  #bytes = 0;
  #maxBytes: number;

  /** @param capacityBytes the most that `resize` will ever be asked for */
  constructor(capacityBytes: number, maxBytes: number) {
    // A power of two above the number of entries that fit.
    this.#mask = (1 << (32 - Math.clz32(capacityBytes / ENTRY_OVERHEAD))) - 1;
    this.#maxBytes = maxBytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** The newest entry has index 1. */
  at(index: number): HeaderField | undefined {
    if (index > this.#length) return undefined;
    return this.#ring[(this.#newest - index + 1) & this.#mask];
  }

  /** 0 where there is none. */
  indexOf(field: HeaderField): number {
    for (let index = 1; index <= this.#length; index++) {
      const entry = this.at(index);
      if (entry?.[1] === field[1] && entry[0] === field[0]) return index;
    }
    return 0;
  }

  /** A field larger than the table empties it and is not kept. */
  insert(field: HeaderField): void {
    const size = sizeOfField(field);
    this.#evictDownTo(this.#maxBytes - size);
    if (size > this.#maxBytes) return;
    this.#newest = (this.#newest + 1) & this.#mask;
    this.#ring[this.#newest] = field;
    this.#length++;
    this.#bytes += size;
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evictDownTo(maxBytes);
  }

  #evictDownTo(bytes: number): void {
    while (this.#length > 0 && this.#bytes > bytes) {
      const oldest = (this.#newest - this.#length + 1) & this.#mask;
      this.#bytes -= sizeOfField(this.#ring[oldest] ?? NO_FIELD);
      this.#ring[oldest] = NO_FIELD;
      this.#length--;
    }
  }
}
