import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer, type SecureContext, type Server } from 'node:tls';

import { createSandbox } from '@heliograph/sandbox';

import { createTrust } from '../trust.ts';

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  /** PEM of the authority. */
  readonly ca: string;
  readonly trust: SecureContext;
}

/** A request that the server has, whole. */
export interface Arrived {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly session: ServerHttp2Session;
  readonly stream: ServerHttp2Stream;
  answer(status?: number, body?: object): void;
}

export interface TestServer {
  readonly url: URL;
  readonly trust: SecureContext;
  /** Oldest first, closed ones too. */
  readonly sessions: ServerHttp2Session[];
  readonly openSessions: number;
  /** Oldest first, answered ones too. */
  readonly arrived: Arrived[];
  /** Most requests that were without an answer at once on a connection. */
  mostAtOnce: number;
  /** By default each request is answered at once. */
  onRequest: (request: Arrived) => void;
  onSession: (session: ServerHttp2Session) => void;
  close(): Promise<void>;
}

export interface TestServerOptions {
  readonly certificate: TestCertificate;
  readonly maxConcurrentStreams?: number;
}

/** The sandbox makes certificates; nothing is sent to it. */
export async function createTestCertificate(): Promise<TestCertificate> {
  const dir = mkdtempSync(path.join(tmpdir(), 'heliograph-pool-'));
  const sandbox = await createSandbox({ dir });
  const read = (name: string) => readFileSync(path.join(dir, name), 'utf8');
  const certificate = {
    cert: read('server.pem'),
    key: read('server-key.pem'),
    ca: sandbox.caPem,
    trust: createTrust(sandbox.caPem),
  };
  await sandbox.close();
  rmSync(dir, { recursive: true });
  return certificate;
}

/** An HTTP/2 server on 127.0.0.1 that does what a test wants of it. */
export async function openTestServer(options: TestServerOptions): Promise<TestServer> {
  const { certificate, maxConcurrentStreams = 100 } = options;
  const { cert, key, trust } = certificate;
  const server = createSecureServer({ cert, key, settings: { maxConcurrentStreams } });
  const self: TestServer = {
    url: await listen(server),
    trust,
    sessions: [],
    get openSessions() {
      return self.sessions.filter(({ destroyed }) => !destroyed).length;
    },
    arrived: [],
    mostAtOnce: 0,
    onRequest: (request) => request.answer(),
    onSession: () => undefined,
    close: () => closeServer(server, self.sessions),
  };
  const owed = new WeakMap<ServerHttp2Session, number>();
  server.on('session', (session) => {
    session.on('error', () => undefined);
    self.sessions.push(session);
    owed.set(session, 0);
    self.onSession(session);
  });
  server.on('stream', (stream, headers) => {
    const session = self.sessions.find((one) => one === stream.session);
    if (session === undefined) return;
    const count = (change: number) => owed.set(session, (owed.get(session) ?? 0) + change);
    count(1);
    self.mostAtOnce = Math.max(self.mostAtOnce, owed.get(session) ?? 0);
    stream.on('error', () => undefined).once('close', () => count(-1));
    const request: Arrived = {
      path: headers[':path'] ?? '',
      headers,
      session,
      stream,
      answer(status = 200, body) {
        if (stream.destroyed) return;
        stream.respond({ ':status': status });
        stream.end(body && JSON.stringify(body));
      },
    };
    stream.resume().once('end', () => {
      self.arrived.push(request);
      self.onRequest(request);
    });
  });
  return self;
}

export interface RawServer {
  readonly url: URL;
  readonly connections: number;
  close(): Promise<void>;
}

export async function openRawServer(
  { cert, key }: TestCertificate,
  bytes: string,
): Promise<RawServer> {
  let connections = 0;
  const server = createServer({ cert, key, ALPNProtocols: ['h2'] }, (socket) => {
    connections += 1;
    socket.on('error', () => undefined).resume();
    socket.write(Buffer.from(bytes, 'hex'));
  });
  return {
    url: await listen(server),
    get connections() {
      return connections;
    },
    close: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server | Http2SecureServer): Promise<URL> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return new URL(`https://127.0.0.1:${address.port}`);
}

async function closeServer(
  server: Http2SecureServer,
  sessions: readonly ServerHttp2Session[],
): Promise<void> {
  for (const session of sessions) session.destroy();
  await new Promise((resolve) => server.close(resolve));
}
