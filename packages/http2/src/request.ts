import type { RequestTemplate } from './request-template.ts';

/** A header field. The name is in lower case; both are ASCII. */
export type HeaderField = readonly [name: string, value: string];

/** One request, and where its end is told. */
export interface Request {
  readonly template: RequestTemplate;
  /** `:path` */
  readonly path: string;
  /** Fields of this request alone, after the template's. They are never indexed. */
  readonly fields: readonly HeaderField[];
  /** UTF-8 where it is text. May be empty. */
  readonly body: string | Buffer;
  /** Counts from the opening of the stream; waiting for one is not part of it. */
  readonly deadlineMs: number;
  /** Called exactly once for a request that was taken, and never from within the call that took it. */
  onEnd(end: RequestEnd): void;
}

/** A request ends in exactly one of these. */
export type RequestEnd = Answered | Unprocessed | Ambiguous;

/** There was a status. */
export interface Answered {
  readonly kind: 'answered';
  readonly status: number;
  /** In the order they came, pseudo-fields left out; trailers among them. */
  readonly fields: readonly HeaderField[];
  /** Cut off at the connection's bound for bodies. */
  readonly body: Buffer;
  /** False where the stream ended before the answer did. */
  readonly isComplete: boolean;
}

/** The peer did provably not process it: it may be sent again at once, over another connection. */
export interface Unprocessed {
  readonly kind: 'unprocessed';
  /** `refused_stream`, `goaway`, or `not_written`: the connection was gone before a byte of it was handed to the socket. */
  readonly reason: string;
}

/** It was written, at least in part, and nobody knows whether it was processed. */
export interface Ambiguous {
  readonly kind: 'ambiguous';
  /**
   * `timeout`; an error code of HTTP/2 such as `CANCEL`; a system's such as `ECONNRESET`; `connection_closed` by the peer, `closing` by
   * `drain`; or what `destroy` was told.
   */
  readonly reason: string;
}

/** The first field of that name. */
export function findHeader(fields: readonly HeaderField[], name: string): string | undefined {
  for (const field of fields) if (field[0] === name) return field[1];
  return undefined;
}
