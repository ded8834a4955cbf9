import { IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import type { ServerCertificate } from '../certificates/server-certificate.ts';
import type { Exchange } from './exchange.ts';
import { Http1Exchange } from './http1-exchange.ts';
import { Http2Exchange, type Http2Connection } from './http2-exchange.ts';
import { KEPT_BYTES, readBody, readBytes } from './read-body.ts';
import { Sockets } from './sockets.ts';

export interface ListenerOptions {
  /** 0 for a free one. */
  readonly port: number;
  readonly certificate: ServerCertificate;
  /** PEM: clients are asked for certificates of that authority. They may have others, or none. */
  readonly clientAuthority?: string;
  /** What the first SETTINGS frame allows. */
  readonly maxConcurrentStreams: number;
  readonly allowHttp1: boolean;
  readonly handle: (exchange: Exchange) => void;
}

export interface Listener {
  readonly url: string;
  /** Ends every connection at once. */
  close(): Promise<void>;
}

/** A TLS server on 127.0.0.1 that hands over each request once its body is complete. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const server = createSecureServer({
    key: options.certificate.keyPem,
    cert: options.certificate.certPem,
    allowHTTP1: options.allowHttp1,
    ...(options.clientAuthority !== undefined && {
      ca: options.clientAuthority,
      requestCert: true,
      rejectUnauthorized: false,
    }),
    settings: { maxConcurrentStreams: options.maxConcurrentStreams },
  });
  const sockets = new Sockets();
  server.on('connection', (socket) => sockets.addTcp(socket));
  // Before node makes a session of it.
  server.prependListener('secureConnection', (socket) => sockets.addTls(socket));
  if (options.allowHttp1) serveHttp1(server, sockets, options.handle);
  serveHttp2(server, sockets, options.handle);

  return listenOnLoopback(server, options.port, sockets);
}

/** Listens with a server of TLS whose connections are known. */
export async function listenOnLoopback(
  server: Server,
  port: number,
  sockets: Sockets,
): Promise<Listener> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `https://127.0.0.1:${portOf(server.address())}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        sockets.destroyAll();
      }),
  };
}

export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}

function serveHttp1(
  server: Http2SecureServer,
  sockets: Sockets,
  handle: (exchange: Exchange) => void,
): void {
  server.on('request', (...args: unknown[]) => {
    // The types know the HTTP/2 shape of this event only.
    const [request, response] = args;
    if (!(request instanceof IncomingMessage) || !(response instanceof ServerResponse)) return;
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    readBytes(request, KEPT_BYTES, (body, bytes) =>
      handle(new Http1Exchange(request, response, sockets, body, bytes)),
    );
  });
  // Node has just hung its compatibility layer on 'stream', for HTTP/2 requests to become 'request' events too. We
  // serve those ourselves, at half the cost.
  server.removeAllListeners('stream');
}

function serveHttp2(
  server: Http2SecureServer,
  sockets: Sockets,
  handle: (exchange: Exchange) => void,
): void {
  const connections = new WeakMap<Http2Session, Http2Connection>();
  server.on('session', (session) => {
    const clientPort = session.socket.remotePort;
    const lastStream = Number.POSITIVE_INFINITY;
    const client = sockets.findClient(clientPort);
    const known = { session, sockets, clientPort, client };
    connections.set(session, { ...known, highestAnswered: 0, lastStream });
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers, _flags, ...rest: unknown[]) => {
    stream.on('error', () => undefined);
    const connection = stream.session && connections.get(stream.session);
    if (!connection) return;
    const [rawHeaders] = rest;
    readBody(stream, (body, bytes) => {
      if ((stream.id ?? 0) > connection.lastStream) return;
      const raw = Array.isArray(rawHeaders) ? rawHeaders : [];
      handle(new Http2Exchange(stream, connection, headers, raw, body, bytes));
    });
  });
}
