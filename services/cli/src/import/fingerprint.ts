import { createHash } from 'node:crypto';

const HEX_DIGITS = 32;

/** By which it is seen that a row of the source changed: 16 bytes in hex. */
export function toFingerprint(values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, HEX_DIGITS);
}
