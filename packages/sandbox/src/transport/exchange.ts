import type { IncomingHttpHeaders } from 'node:http';
import type { ResetCode } from '../answers/answer.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: the answer ends with its headers. */
  readonly body?: string;
}

/** What a client has shown in the handshake. */
export interface ClientCertificate {
  /** SHA-256, in hex with colons. */
  readonly fingerprint: string;
  /** It was issued by the listener's authority, and its time is not over. */
  readonly trusted: boolean;
}

/** One request with its whole body, and all that a server can do to its client. */
export interface Exchange {
  readonly method: string;
  /** With the query, as it came. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names of headers that came more than once. */
  readonly repeatedHeaders: readonly string[];
  /** UTF-8; cut off after 64 KiB. */
  readonly body: string;
  readonly bodyBytes: number;
  /** The same object for all requests of one connection. */
  readonly connection: object;
  /** Undefined where the client has none, or was not asked. */
  readonly client: ClientCertificate | undefined;
  respond(answer: HttpAnswer): void;
  /** 200 and a body without end: as fast as it is read, or a byte every so many ms. */
  respondEndlessly(everyMs: number): void;
  limitStreams(limit: number): void;
  goaway(streams: 'answer' | 'refuse' | 'drop', reason: string | undefined): void;
  resetStream(code: ResetCode): void;
  /** In order: FIN after what was already sent. */
  closeConnection(): void;
  /** TCP RST. */
  resetConnection(): void;
}
