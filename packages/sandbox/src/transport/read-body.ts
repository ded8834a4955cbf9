import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';

/** No provider takes more than a few KiB; what lies beyond is counted and thrown away. */
export const KEPT_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);

/** By callback: a promise per push would be felt by benchmarks that use the sandbox as their sink. */
export function readBody(from: Readable, done: (body: string, bytes: number) => void): void {
  readBytes(from, KEPT_BYTES, (kept, bytes) => done(kept.toString(), bytes));
}

/** At least the first `limit` bytes, where there are so many, and how many came. */
export function readBytes(
  from: Readable,
  limit: number,
  done: (kept: Buffer, bytes: number) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  from.on('data', (chunk: Buffer) => {
    if (bytes < limit) chunks.push(chunk);
    bytes += chunk.length;
  });
  from.on('end', () => {
    const [first = NOTHING] = chunks;
    done(chunks.length <= 1 ? first : Buffer.concat(chunks), bytes);
  });
}
