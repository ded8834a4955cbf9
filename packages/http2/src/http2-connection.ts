import type { Request } from './request.ts';

/*
 * One connection to an HTTP/2 server. `starting` until the server's settings are there; `open`; `draining` once no more requests are taken,
 * by us or by the server's GOAWAY, and answers are still owed; `closed`. A request ends when its answer is whole, when the server resets
 * its stream, when its deadline is over, or with the connection.
 */
export type ConnectionState = 'starting' | 'open' | 'draining' | 'closed';

export interface Goaway {
  /** The name of its error code. */
  readonly code: string;
  readonly lastStreamId: number;
  /** What the peer had to say, as UTF-8: APNs says why in JSON. */
  readonly debug: string;
}

/** Of a connection that was handed out; `onGoaway` also of one that is not, because the server goes away at once. */
export interface ConnectionEvents {
  /** There may be room for requests that there was not before. */
  readonly onCapacity: () => void;
  /** The connection takes no more requests, and closes by itself when the answers that are owed are there. */
  readonly onGoaway: (goaway: Goaway) => void;
  /** All requests have ended. `reason`: what `Ambiguous.reason` would be. */
  readonly onClose: (reason: string) => void;
}

export interface Http2Connection {
  readonly state: ConnectionState;
  /** How many requests it takes now; 0 unless it is open. */
  readonly capacity: number;
  /** Requests under way. */
  readonly inFlight: number;
  /** What the server allows, or our own bound where that is lower. */
  readonly maxStreams: number;
  /**
   * Sends the request, unless there is no capacity: then nothing happens, and the answer is false. Throws a `TypeError`, and nothing
   * happened either, where a header is no printable ASCII.
   */
  request(request: Request): boolean;
  /** Resolves with whether the server answered a ping in time. Never rejects. */
  ping(timeoutMs: number): Promise<boolean>;
  /** Takes no more requests, waits up to `timeoutMs` for the answers owed, and closes. Resolves when it is closed. */
  drain(timeoutMs: number): Promise<void>;
  /** Closes at once. Requests under way end as ambiguous for that reason, unless they were not written. */
  destroy(reason: string): void;
}
