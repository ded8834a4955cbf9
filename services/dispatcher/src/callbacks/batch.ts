import { toCallbackCursor, toWireAppId, wantsCallback } from '@heliograph/core';
import type { CallbackEvent } from '@heliograph/db';

/** A request holds no more events, and no more bytes of them unless one alone has more. */
export const MAX_EVENTS = 500;
const MAX_BYTES = 256 * 1024;

export interface CallbackBatch {
  /** How many events it tells. */
  readonly events: number;
  /** The body of the request. */
  readonly body: Buffer;
  /** The last event that it told, or that was left out as not wanted. */
  readonly end: CallbackEvent;
}

/** What of the events is wanted, in their order, up to the limits of a request. */
export function toBatch(
  events: readonly [CallbackEvent, ...CallbackEvent[]],
  { appId, types }: { readonly appId: string; readonly types: readonly string[] | null },
  maxEvents: number,
): CallbackBatch {
  const texts: string[] = [];
  let bytes = 0;
  let end = events[0];
  for (const event of events) {
    if (wantsCallback(types, event.type)) {
      const text = JSON.stringify(toWireEvent(event));
      bytes += Buffer.byteLength(text) + 1;
      if (texts.length > 0 && (texts.length === maxEvents || bytes > MAX_BYTES)) break;
      texts.push(text);
    }
    end = event;
  }
  const head = JSON.stringify({ appId: toWireAppId(appId) }).slice(0, -1);
  const tail = JSON.stringify({ cursor: toCallbackCursor(end) }).slice(1);
  const body = `${head},"events":[${texts.join(',')}],${tail}`;
  return { events: texts.length, body: Buffer.from(body), end };
}

/** Like the events of `GET /push/callback/events`. */
function toWireEvent({ id, type, createdAt, data }: CallbackEvent): object {
  return { id, type, at: createdAt.toISOString(), data };
}
