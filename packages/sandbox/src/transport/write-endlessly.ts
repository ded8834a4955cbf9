import { Buffer } from 'node:buffer';
import { setTimeout as after } from 'node:timers/promises';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

const CHUNK = Buffer.alloc(16_384, ' ');
const BYTE = Buffer.from(' ');

/** Writes until the other side has gone: as fast as it reads, or a byte every so many ms. */
export function writeEndlessly(to: Writable, everyMs: number): void {
  const gone = new AbortController();
  to.once('close', () => gone.abort());
  // It ends by the abort, which rejects whatever it waits for.
  void write(to, everyMs, gone.signal).catch(() => undefined);
}

async function write(to: Writable, everyMs: number, signal: AbortSignal): Promise<void> {
  while (!to.destroyed) {
    const more = to.write(everyMs > 0 ? BYTE : CHUNK);
    if (everyMs > 0) await after(everyMs, undefined, { signal, ref: false });
    else if (!more) await once(to, 'drain', { signal });
  }
}
