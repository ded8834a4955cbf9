import type { HeaderField } from '../request.ts';
import type { RequestTemplate } from '../request-template.ts';
import { DynamicTable, sizeOfField } from './dynamic-table.ts';
import { refuseBadFields, refuseBadPath, refuseBadValues } from './field-syntax.ts';
import { writeInteger } from './integer.ts';
import {
  boundOfFields,
  INDEXED_FROM_NOW_ON,
  MOST_OVERHEAD,
  NOT_INDEXED,
  writeLiteral,
  writeLiterals,
  writeRawString,
  writeShortString,
} from './literal.ts';
import { SecretMemo } from './secret-memo.ts';
import { STATIC_ENTRIES, staticIndexOf } from './static-table.ts';
import { TemplateSlot } from './template-slot.ts';

/** The table that both sides begin with (RFC 9113 section 6.5.2), and the most that we use of a larger one. */
const MOST_TABLE_BYTES = 4096;
/** Two sizes of up to three octets. */
const MOST_SIZE_UPDATE_BYTES = 6;
/** RFC 7541 appendix A. */
const PATH_INDEX = 4;
/** Enough for the campaigns that share a connection, and for a moment's single messages beside them. */
const SLOTS = 8;

/** Encodes the requests of one connection, in the order in which they are written (RFC 7541). */
export class HpackEncoder {
  readonly #table = new DynamicTable(MOST_TABLE_BYTES, MOST_TABLE_BYTES);
  /** Grows with every change of the table, whether made or only owed. */
  #revision = 0;
  readonly #slots = Array.from({ length: SLOTS }, () => new TemplateSlot());
  #nextSlot = 0;
  readonly #secrets = new SecretMemo();
  /** What the peer allows now, and the least that it allowed since the last block. */
  #maxTableBytes = MOST_TABLE_BYTES;
  #leastTableBytes = MOST_TABLE_BYTES;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. Takes effect with the next block, which tells the peer so. */
  setMaxTableBytes(bytes: number): void {
    this.#maxTableBytes = Math.min(bytes, MOST_TABLE_BYTES);
    this.#leastTableBytes = Math.min(this.#leastTableBytes, this.#maxTableBytes);
    this.#revision++;
  }

  /** The most bytes that `encodeRequest` may write now. */
  boundOf(template: RequestTemplate, path: string, fields: readonly HeaderField[]): number {
    const ofTemplate = boundOfTemplate(template) + boundOfFields(template.secret);
    return ofTemplate + path.length + MOST_OVERHEAD + boundOfFields(fields);
  }

  /**
   * Writes one header block to a target that has room for `boundOf` bytes after the offset, and answers its end.
   * What was written has to be sent, and in this order. Throws a `TypeError`, and the block never was, where a name,
   * a value or the path is more than ASCII or could pass for something else.
   */
  encodeRequest(
    template: RequestTemplate,
    path: string,
    fields: readonly HeaderField[],
    target: Buffer,
    offset: number,
  ): number {
    refuseBadPath(path);
    refuseBadFields(fields);
    const slot = this.#findSlot(template) ?? this.#fillSlot(template);
    let end = slot.writePseudo(target, offset);
    target[end] = NOT_INDEXED.pattern | PATH_INDEX;
    end = slot.writeRegular(target, writeRawString(path, target, end + 1));
    return writeLiterals(fields, NOT_INDEXED, writeRawString, target, end);
  }

  #findSlot(template: RequestTemplate): TemplateSlot | undefined {
    for (const slot of this.#slots) {
      if (slot.template === template && slot.revision === this.#revision) return slot;
    }
    return undefined;
  }

  #fillSlot(template: RequestTemplate): TemplateSlot {
    refuseBadValues(template.pseudo);
    refuseBadFields(template.shared);
    refuseBadFields(template.own);
    const secret = this.#secrets.encode(template.secret);
    // Nothing throws from here on: what is written below changes the table.
    this.#nextSlot = (this.#nextSlot + 1) % SLOTS;
    const slot = this.#slots[this.#nextSlot] ?? new TemplateSlot();
    slot.secret = secret;
    slot.reserve(boundOfTemplate(template));
    const revision = this.#revision;
    const start = this.#writeSizeUpdates(slot.bytes);
    slot.pseudoEnd = this.#writeIndexed(template.pseudo, slot.bytes, start);
    const sharedEnd = this.#writeIndexed(template.shared, slot.bytes, slot.pseudoEnd);
    slot.end = writeLiterals(template.own, NOT_INDEXED, writeShortString, slot.bytes, sharedEnd);
    // What changes the table is said once; the next block refers to it.
    slot.template = this.#revision === revision ? template : undefined;
    slot.revision = revision;
    return slot;
  }

  /** RFC 7541 section 4.2: the least size since the last block has to be told, too, for it evicts entries. */
  #writeSizeUpdates(target: Buffer): number {
    let end = 0;
    for (const bytes of [this.#leastTableBytes, this.#maxTableBytes]) {
      if (bytes === this.#table.maxBytes) continue;
      this.#table.resize(bytes);
      this.#revision++;
      end = writeInteger(bytes, 0x20, 0x1f, target, end);
    }
    this.#leastTableBytes = this.#maxTableBytes;
    return end;
  }

  #writeIndexed(fields: readonly HeaderField[], target: Buffer, offset: number): number {
    let end = offset;
    for (const field of fields) {
      const index = this.#indexOf(field);
      end =
        index === 0
          ? this.#writeNew(field, target, end)
          : writeInteger(index, 0x80, 0x7f, target, end);
    }
    return end;
  }

  #indexOf(field: HeaderField): number {
    const index = staticIndexOf(field);
    if (index !== 0) return index;
    const dynamicIndex = this.#table.indexOf(field);
    return dynamicIndex === 0 ? 0 : dynamicIndex + STATIC_ENTRIES;
  }

  #writeNew(field: HeaderField, target: Buffer, offset: number): number {
    // To insert it would only empty the table.
    if (sizeOfField(field) > this.#table.maxBytes) {
      return writeLiteral(field, NOT_INDEXED, writeShortString, target, offset);
    }
    this.#table.insert(field);
    this.#revision++;
    return writeLiteral(field, INDEXED_FROM_NOW_ON, writeShortString, target, offset);
  }
}

/** Secrets left out. */
function boundOfTemplate({ pseudo, shared, own }: RequestTemplate): number {
  return (
    MOST_SIZE_UPDATE_BYTES + boundOfFields(pseudo) + boundOfFields(shared) + boundOfFields(own)
  );
}
