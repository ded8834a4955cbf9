import { Buffer } from 'node:buffer';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { RESET_CODES, type ResetCode } from '../answers/answer.ts';
import type { ClientCertificate, Exchange, HttpAnswer } from './exchange.ts';
import type { Sockets } from './sockets.ts';
import { writeEndlessly } from './write-endlessly.ts';

/** Says "I am going away, but have refused nothing yet". */
const EVERY_STREAM = 2 ** 31 - 1;

/** What GOAWAY needs to know of a connection. */
export interface Http2Connection {
  readonly session: ServerHttp2Session;
  readonly sockets: Sockets;
  readonly clientPort: number | undefined;
  readonly client: ClientCertificate | undefined;
  highestAnswered: number;
  /** Streams above are refused: the client was told so, and sends them again elsewhere. */
  lastStream: number;
}

export class Http2Exchange implements Exchange {
  readonly #stream: ServerHttp2Stream;
  readonly connection: Http2Connection;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly bodyBytes: number;
  readonly #rawHeaders: readonly unknown[];

  constructor(
    stream: ServerHttp2Stream,
    connection: Http2Connection,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly unknown[],
    body: string,
    bodyBytes: number,
  ) {
    this.#stream = stream;
    this.connection = connection;
    this.headers = headers;
    this.#rawHeaders = rawHeaders;
    this.body = body;
    this.bodyBytes = bodyBytes;
  }

  get client(): ClientCertificate | undefined {
    return this.connection.client;
  }

  get method(): string {
    return this.headers[':method'] ?? '';
  }

  get path(): string {
    return this.headers[':path'] ?? '';
  }

  get repeatedHeaders(): readonly string[] {
    // Node has joined the values of repeated headers by now, so only the raw list still tells.
    if (this.#rawHeaders.length / 2 === Object.keys(this.headers).length) return [];
    const names = this.#rawHeaders.filter((_, index) => index % 2 === 0).map(String);
    return names.filter((name, index) => names.indexOf(name) !== index);
  }

  respond({ status, headers, body }: HttpAnswer): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const { connection } = this;
    connection.highestAnswered = Math.max(connection.highestAnswered, stream.id ?? 0);
    stream.respond({ ':status': status, ...headers }, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
  }

  respondEndlessly(everyMs: number): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    stream.respond({ ':status': 200 });
    writeEndlessly(stream, everyMs);
  }

  limitStreams(limit: number): void {
    const { session } = this.connection;
    if (!session.destroyed && !session.closed) session.settings({ maxConcurrentStreams: limit });
  }

  goaway(streams: 'answer' | 'refuse' | 'drop', reason: string | undefined): void {
    const { session } = this.connection;
    if (session.destroyed) return;
    const data = reason === undefined ? undefined : Buffer.from(JSON.stringify({ reason }));
    switch (streams) {
      case 'answer':
        session.goaway(RESET_CODES.NO_ERROR, EVERY_STREAM, data);
        closeSoon(session);
        break;
      case 'refuse':
        this.#refuseFromHere(data);
        closeSoon(session);
        break;
      case 'drop':
        session.goaway(RESET_CODES.NO_ERROR, this.#stream.id ?? EVERY_STREAM, data);
        this.closeConnection();
        break;
    }
  }

  resetStream(code: ResetCode): void {
    if (!this.#stream.destroyed) this.#stream.close(RESET_CODES[code]);
  }

  closeConnection(): void {
    this.connection.sockets.end(this.connection.clientPort);
  }

  resetConnection(): void {
    this.connection.sockets.reset(this.connection.clientPort);
  }

  #refuseFromHere(data: Buffer | undefined): void {
    const { connection } = this;
    const id = this.#stream.id ?? 0;
    const last = Math.max(id - 2, connection.highestAnswered);
    connection.lastStream = Math.max(last, 1);
    connection.session.goaway(RESET_CODES.NO_ERROR, connection.lastStream, data);
    // Node cannot say "not even the first stream": 0 means "the last one seen" to it. Then a reset says it.
    if (last < 1 || last >= id) this.#stream.close(RESET_CODES.REFUSED_STREAM);
  }
}

/** Waits for open streams. A close in the same turn as a GOAWAY makes node send a second one that breaks the protocol. */
function closeSoon(session: ServerHttp2Session): void {
  setImmediate(() => session.close());
}
