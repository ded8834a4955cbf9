import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';

import type { TlsIdentity } from './tls-identity.ts';

export interface HttpServer {
  readonly port: number;
  /** Takes no new connections, and resolves once the requests under way are answered. */
  close(): Promise<void>;
}

/** Longer than the idle time of the usual load balancers, so that none sends into a connection that we just closed. */
const KEEP_ALIVE_MS = 75_000;
/** Who has not done with the handshake by then keeps no connection, and no shutdown, waiting. */
const HANDSHAKE_MS = 10_000;

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** Served over TLS with it; over plain HTTP without. */
  readonly tls?: TlsIdentity | undefined;
}

/** Rejects with a message for operators where the port is taken. */
export async function openServer(
  listener: RequestListener,
  { host, port, tls }: ServerOptions,
): Promise<HttpServer> {
  const options = { keepAliveTimeout: KEEP_ALIVE_MS };
  const server =
    tls === undefined
      ? createServer(options, listener)
      : createTlsServer({ ...options, ...tls, handshakeTimeout: HANDSHAKE_MS }, listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const closeIdle = () => {
    server.closeIdleConnections();
    // Clients open connections ahead of their requests; to Node one that has said nothing yet is busy for a minute.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  };
  await listen(server, host, port);
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

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`port ${port} on ${host} is in use; set PORT to another one`, {
              cause: error,
            })
          : error,
      ),
    );
    server.listen(port, host, resolve);
  });
}
