import { createServer } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { ServerCertificate } from '../certificates/server-certificate.ts';
import { Http1Exchange } from './http1-exchange.ts';
import { listenOnLoopback, type Listener } from './listener.ts';
import { readBytes } from './read-body.ts';
import { Sockets } from './sockets.ts';

export interface Http1ListenerOptions {
  /** 0 for a free one. */
  readonly port: number;
  readonly certificate: ServerCertificate;
  /** Whether and by whose authority (PEM) clients are judged; absent: they are not asked for certificates. */
  readonly clients?: {
    readonly authority: string;
    /** Whether the handshake fails without a good certificate; else the exchange tells of the client. */
    readonly refuseInHandshake: boolean;
  };
  /** Bytes of a body that are kept. */
  readonly keptBytes: number;
  /** Asked once the headers are there; true resets the connection. */
  readonly resetsUnread: (request: IncomingMessage) => boolean;
  readonly handle: (exchange: Http1Exchange) => void;
}

/** A TLS server on 127.0.0.1 that speaks HTTP/1.1 only, as many a customer's own does. */
export async function openHttp1Listener(options: Http1ListenerOptions): Promise<Listener> {
  const { certificate, clients } = options;
  const sockets = new Sockets();
  const server = createServer({
    key: certificate.keyPem,
    cert: certificate.certPem,
    ...(clients && {
      ca: clients.authority,
      requestCert: true,
      rejectUnauthorized: clients.refuseInHandshake,
    }),
  });
  server.on('connection', (socket) => {
    if (socket instanceof Socket) sockets.addTcp(socket);
  });
  server.prependListener('secureConnection', (socket) => sockets.addTls(socket));
  server.on('request', (request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    if (options.resetsUnread(request)) return sockets.reset(request.socket.remotePort);
    return readBytes(request, options.keptBytes, (body, bytes) =>
      options.handle(new Http1Exchange(request, response, sockets, body, bytes)),
    );
  });

  return listenOnLoopback(server, options.port, sockets);
}
