/** One element of DER. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
}

/** The elements that stand one behind the other. Throws where that is not DER. */
export function listDerElements(bytes: Buffer): readonly DerElement[] {
  const elements: DerElement[] = [];
  let at = 0;
  while (at < bytes.length) {
    const { length, from } = readLength(bytes, at + 1);
    if (from + length > bytes.length) throw new RangeError('DER ends too early');
    elements.push({ tag: bytes[at] ?? 0, content: bytes.subarray(from, from + length) });
    at = from + length;
  }
  return elements;
}

/** How long the content is, and where it begins. */
function readLength(bytes: Buffer, at: number): { length: number; from: number } {
  const first = bytes[at];
  if (first === undefined) throw new RangeError('DER ends too early');
  if (first < 0x80) return { length: first, from: at + 1 };
  const count = first & 0x7f;
  if (count < 1 || count > 4 || at + 1 + count > bytes.length)
    throw new RangeError('no length of DER');
  return { length: bytes.readUIntBE(at + 1, count), from: at + 1 + count };
}
