import type { HeaderField } from '../request.ts';
import { huffmanLength, writeHuffman } from './huffman.ts';
import { writeInteger } from './integer.ts';
import { staticIndexOfName } from './static-table.ts';

/** A literal's first octet: the bits that say what becomes of it, and those left for its name's index. */
export interface Representation {
  readonly pattern: number;
  readonly mask: number;
}

// RFC 7541 sections 6.2.1 to 6.2.3.
export const INDEXED_FROM_NOW_ON: Representation = { pattern: 0x40, mask: 0x3f };
export const NOT_INDEXED: Representation = { pattern: 0x00, mask: 0x0f };
export const NEVER_INDEXED: Representation = { pattern: 0x10, mask: 0x0f };

type WriteString = (text: string, target: Buffer, offset: number) => number;

const HUFFMAN = 0x80;
/** The first octet, and two lengths of up to five octets, or an index of up to three instead. */
export const MOST_OVERHEAD = 11;
/** Below it a loop is faster than a call that leaves JavaScript. */
const SHORT = 24;

/** In bytes; holds for every representation. */
export function boundOfFields(fields: readonly HeaderField[]): number {
  let bytes = 0;
  for (const field of fields) bytes += field[0].length + field[1].length + MOST_OVERHEAD;
  return bytes;
}

/** Answers the end offset. */
export function writeLiterals(
  fields: readonly HeaderField[],
  representation: Representation,
  writeString: WriteString,
  target: Buffer,
  offset: number,
): number {
  let end = offset;
  for (const field of fields) end = writeLiteral(field, representation, writeString, target, end);
  return end;
}

/** Names by the static table's index where there is one. Answers the end offset. */
export function writeLiteral(
  field: HeaderField,
  { pattern, mask }: Representation,
  writeString: WriteString,
  target: Buffer,
  offset: number,
): number {
  const index = staticIndexOfName(field[0]);
  let end = writeInteger(index, pattern, mask, target, offset);
  if (index === 0) end = writeString(field[0], target, end);
  return writeString(field[1], target, end);
}

/** ASCII as it is. */
export function writeRawString(text: string, target: Buffer, offset: number): number {
  const { length } = text;
  const start = writeInteger(length, 0, 0x7f, target, offset);
  if (length > SHORT) return start + target.write(text, start, length, 'latin1');
  for (let i = 0; i < length; i++) target[start + i] = text.charCodeAt(i);
  return start + length;
}

/** ASCII, Huffman-coded where that is shorter. */
export function writeShortString(text: string, target: Buffer, offset: number): number {
  const length = huffmanLength(text);
  if (length >= text.length) return writeRawString(text, target, offset);
  return writeHuffman(text, target, writeInteger(length, HUFFMAN, 0x7f, target, offset));
}
