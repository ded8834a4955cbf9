import { createServer, type RequestListener, type Server } from 'node:http';

export interface HttpServer {
  readonly port: number;
  /** Takes no new connections, and resolves once the requests under way are answered. */
  close(): Promise<void>;
}

/** Longer than the idle time of the usual load balancers, so that none sends into a connection that we just closed. */
const KEEP_ALIVE_MS = 75_000;

/** Rejects with a message for operators where the port is taken. */
export async function openServer(
  listener: RequestListener,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<HttpServer> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener);
  await listen(server, host, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        // A connection whose last answer comes after this would stay until its idle time is over.
        const sweep = setInterval(() => server.closeIdleConnections(), 50);
        server.close(() => {
          clearInterval(sweep);
          resolve();
        });
        server.closeIdleConnections();
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
