import type { Buffer } from 'node:buffer';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { ClientCertificate, Exchange, HttpAnswer } from './exchange.ts';
import type { Sockets } from './sockets.ts';
import { writeEndlessly } from './write-endlessly.ts';

/** What HTTP/1.1 has no word for becomes the nearest thing: the connection ends. */
export class Http1Exchange implements Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #sockets: Sockets;
  #body: string | undefined;
  /** As it came; cut off where the listener stops to keep it. */
  readonly rawBody: Buffer;
  readonly bodyBytes: number;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    sockets: Sockets,
    rawBody: Buffer,
    bodyBytes: number,
  ) {
    this.#request = request;
    this.#response = response;
    this.#sockets = sockets;
    this.rawBody = rawBody;
    this.bodyBytes = bodyBytes;
  }

  get body(): string {
    this.#body ??= this.rawBody.toString();
    return this.#body;
  }

  get method(): string {
    return this.#request.method ?? '';
  }

  get path(): string {
    return this.#request.url ?? '';
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }

  get repeatedHeaders(): readonly string[] {
    const values = Object.entries(this.#request.headersDistinct);
    return values.filter(([, all]) => (all?.length ?? 0) > 1).map(([name]) => name);
  }

  get client(): ClientCertificate | undefined {
    return this.#sockets.findClient(this.#request.socket.remotePort);
  }

  get connection(): object {
    return this.#request.socket;
  }

  respond({ status, headers, body }: HttpAnswer): void {
    if (!this.#response.destroyed) this.#response.writeHead(status, headers).end(body);
  }

  respondEndlessly(everyMs: number): void {
    if (this.#response.destroyed) return;
    this.#response.writeHead(200, { 'content-type': 'application/json' });
    writeEndlessly(this.#response, everyMs);
  }

  limitStreams(): void {
    // One request at a time is all there is.
  }

  goaway(streams: 'answer' | 'refuse' | 'drop'): void {
    // After an answer the socket may still carry it, so that one ends in order.
    if (streams === 'answer') this.#response.once('finish', () => this.closeConnection());
    else this.closeConnection();
  }

  resetStream(): void {
    this.resetConnection();
  }

  closeConnection(): void {
    this.#sockets.end(this.#request.socket.remotePort);
  }

  resetConnection(): void {
    this.#sockets.reset(this.#request.socket.remotePort);
  }
}
