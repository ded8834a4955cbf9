import type { ServerResponse } from 'node:http';

export const EVENT_STREAM = 'text/event-stream';

/** An answer that goes on: server-sent events. What is sent after its end is dropped. */
export interface EventStream {
  /** Whether the reader took everything so far. While it did not, whatever is sent fills our memory. */
  isDrained(): boolean;
  /** Sends an event. Its id is the next number, unless the caller counts by itself. */
  send(event: string, data: unknown, id?: number): void;
  /** Tells the reader where it is, or when to come back after the end, without an event. */
  tell(hint: StreamHint): void;
  /** Ends it; a reader that does not take the end within a second is cut off. */
  end(): void;
}

export interface StreamHint {
  /** What it asks to go on after, in `Last-Event-ID`. */
  readonly id?: number;
  readonly retryMs?: number;
}

export interface EventStreamOptions {
  /** How often a comment says that the connection lives. */
  readonly heartbeatMs?: number | undefined;
  readonly onDrain: () => void;
  /** Called once, whoever ended it. */
  readonly onClose: () => void;
}

const HEARTBEAT_MS = 15_000;
/** A reader that took nothing for so many heartbeats is cut off. */
const MAX_MISSED = 4;
const END_MS = 1000;

/** Begins the answer. */
export function openEventStream(
  res: ServerResponse,
  { heartbeatMs = HEARTBEAT_MS, onDrain, onClose }: EventStreamOptions,
): EventStream {
  res.statusCode = 200;
  res.setHeader('Content-Type', EVENT_STREAM);
  res.setHeader('Cache-Control', 'no-store');
  // Or nginx would collect some kilobytes before it passes them on.
  res.setHeader('X-Accel-Buffering', 'no');
  res.flushHeaders();

  let nextId = 1;
  let missed = 0;
  const isDrained = () => !res.writableNeedDrain;
  const write = (text: string) => {
    if (!res.writableEnded && !res.destroyed) res.write(text);
  };
  const end = () => {
    if (res.writableEnded) return;
    const cut = setTimeout(() => res.destroy(), END_MS);
    res.once('close', () => clearTimeout(cut));
    res.end();
  };
  const beat = setInterval(() => {
    missed = isDrained() ? 0 : missed + 1;
    if (missed === 0) write(':\n\n');
    else if (missed > MAX_MISSED) res.destroy();
  }, heartbeatMs);
  res.on('drain', onDrain);
  res.once('close', () => {
    clearInterval(beat);
    onClose();
  });
  // Whoever asks for the headers has them.
  if (res.req.method === 'HEAD') end();

  return {
    isDrained,
    send(event, data, id = nextId++) {
      write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    tell({ id, retryMs }) {
      const lines = [
        ...(retryMs === undefined ? [] : [`retry: ${Math.round(retryMs)}\n`]),
        ...(id === undefined ? [] : [`id: ${id}\n`]),
      ];
      write(`${lines.join('')}\n`);
    },
    end,
  };
}
