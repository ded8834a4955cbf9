/**
 * RFC 7541 section 5.1. Answers the end offset.
 * @param pattern the first octet's other bits
 * @param mask the bits of the first octet that belong to the integer
 */
export function writeInteger(
  value: number,
  pattern: number,
  mask: number,
  target: Uint8Array,
  offset: number,
): number {
  if (value < mask) {
    target[offset] = pattern | value;
    return offset + 1;
  }
  target[offset] = pattern | mask;
  let end = offset + 1;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) target[end++] = 0x80 | (rest & 0x7f);
  target[end++] = rest;
  return end;
}
