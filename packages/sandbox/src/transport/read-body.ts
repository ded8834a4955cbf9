import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';

/** No provider takes more than a few KiB; what lies beyond is counted and thrown away. */
const KEPT_BYTES = 65_536;

/** By callback: a promise per push would be felt by benchmarks that use the sandbox as their sink. */
export function readBody(from: Readable, done: (body: string, bytes: number) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  from.on('data', (chunk: Buffer) => {
    if (bytes < KEPT_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  });
  from.on('end', () => {
    const [first] = chunks;
    if (chunks.length <= 1) return done(first?.toString() ?? '', bytes);
    return done(Buffer.concat(chunks).toString(), bytes);
  });
}
