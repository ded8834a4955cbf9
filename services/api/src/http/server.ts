import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';

import type { TlsIdentity } from './tls-identity.ts';

export interface HttpServer {
  readonly port: number;
  /** Takes no new connections, and resolves once the requests under way are answered. */
  close(): Promise<void>;
}

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Longer than the idle time of the usual load balancers, so that none sends into a connection that we just closed. */
export const KEEP_ALIVE_MS = 75_000;
/** Who has not done with the handshake by then keeps no connection, and no shutdown, waiting. */
const HANDSHAKE_MS = 10_000;

export interface ServerOptions extends ListenAddress {
  /** Served over TLS with it; over plain HTTP without. */
  readonly tls?: TlsIdentity | undefined;
  readonly limits?: ConnectionLimits | undefined;
  /** A connection above `maxConnections` was cut off. */
  readonly onDrop?: () => void;
}

/** What callers may take of us before we know who they are. */
export interface ConnectionLimits {
  /** What comes above it is cut off. */
  readonly maxConnections: number;
  /** Whoever has not sent all headers by then is answered 408, and cut off. */
  readonly headersTimeoutMs: number;
  /** The same of the whole request. */
  readonly requestTimeoutMs: number;
}

const DEFAULT_LIMITS: ConnectionLimits = {
  maxConnections: 20_000,
  headersTimeoutMs: 60_000,
  requestTimeoutMs: 120_000,
};
/** Connections that wait to be taken: Node takes one at a time, and the system cuts it down to what it allows. */
const BACKLOG = 4096;
/** How often it is looked whose time is over. */
const CHECK_MS = 5000;

/** Rejects with a message for operators where the port is taken. */
export function openServer(
  listener: RequestListener,
  { host, port, tls, limits = DEFAULT_LIMITS, onDrop }: ServerOptions,
): Promise<HttpServer> {
  const { headersTimeoutMs, requestTimeoutMs, maxConnections } = limits;
  const options = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, headersTimeoutMs),
  };
  const server =
    tls === undefined
      ? createServer(options, listener)
      : createTlsServer({ ...options, ...toTlsOptions(tls) }, listener);
  // Node's own bound is on how many it remembers, and it forgets the others: see `refuseHeaderFlood`.
  server.maxHeadersCount = 0;
  server.maxConnections = maxConnections;
  if (onDrop !== undefined) server.on('drop', onDrop);
  return listenWith(server, { host, port }, 'PORT');
}

/** With an authority for clients, whoever shows no certificate of it gets no connection. */
function toTlsOptions({ cert, key, clientCa }: TlsIdentity) {
  const base = { cert, key, handshakeTimeout: HANDSHAKE_MS };
  if (clientCa === undefined) return base;
  return { ...base, ca: clientCa, requestCert: true, rejectUnauthorized: true };
}

/** Listens with a server that was built. `variable` is the one that an operator sets to have another port. */
export async function listenWith(
  server: Server | HttpsServer,
  { host, port }: ListenAddress,
  variable: string,
): Promise<HttpServer> {
  const silent = trackSilent(server);
  const closeIdle = () => {
    server.closeIdleConnections();
    // Clients open connections ahead of their requests; to Node one that has said nothing yet is busy for a minute.
    for (const socket of silent()) socket.destroy();
  };
  await listen(server, host, port, variable);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        // A connection whose last answer comes after this would stay until its idle time is over.
        const sweep = setInterval(closeIdle, 50);
        server.close(() => {
          clearInterval(sweep);
          resolve();
        });
        closeIdle();
      }),
  };
}

/** Connections on which nothing was asked yet. */
function trackSilent(server: Server | HttpsServer): () => Socket[] {
  const sockets = new Set<Socket>();
  const add = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  server.on('connection', add);
  // Under TLS a connection is two sockets. The handshake is something said, but asks nothing.
  const greeted = new Set<Socket>();
  server.on('secureConnection', (socket: Socket) => {
    greeted.add(socket);
    socket.once('close', () => greeted.delete(socket));
  });
  server.on('request', (req) => greeted.delete(req.socket));
  return () => [...greeted, ...[...sockets].filter((socket) => socket.bytesRead === 0)];
}

function listen(
  server: Server | HttpsServer,
  host: string,
  port: number,
  variable: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`port ${port} on ${host} is in use; set ${variable} to another one`, {
              cause: error,
            })
          : error,
      ),
    );
    server.listen({ port, host, backlog: BACKLOG }, resolve);
  });
}
