import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';

import { createAuthority, createServerCertificate } from '@heliograph/sandbox';

import type { ProxyCredential } from '../credential.ts';

const NOW = new Date();
const YEAR_MS = 365 * 86_400_000;
const SERVERS = createAuthority(NOW);
const CLIENTS = createAuthority(NOW);

/** What a test's proxy shows, for 127.0.0.1 and `localhost`. */
export const SERVER = { ca: SERVERS.caPem, ...createServerCertificate(SERVERS, NOW) };
/** Who made the certificates that it takes. */
export const CLIENT_CA = CLIENTS.caPem;
export const CLIENT = createServerCertificate(CLIENTS, NOW);
export const FOREIGN_CLIENT = createServerCertificate(createAuthority(NOW), NOW);
export const EXPIRED_CLIENT = createServerCertificate(
  CLIENTS,
  new Date(NOW.getTime() - 3 * YEAR_MS),
);

export interface ReceivedPost {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Of our end of its connection. */
  readonly port: number;
}

export type Answering = (req: IncomingMessage, res: ServerResponse) => void;

/** A customer's proxy, by node: it answers as it is told, else 200. */
export interface TestProxy {
  readonly url: string;
  readonly received: readonly ReceivedPost[];
  /** Of TCP, closed ones too. */
  readonly connections: number;
  readonly open: number;
  /** How the next posts are answered, one after another; the last is for all that follow. */
  answer(...answers: readonly Answering[]): void;
  close(): Promise<void>;
}

export async function openTestProxy(
  options: TlsOptions = {},
  host = '127.0.0.1',
): Promise<TestProxy> {
  const received: ReceivedPost[] = [];
  const sockets = new Set<Socket>();
  let answers: readonly Answering[] = [];
  let connections = 0;
  const server = createServer({ key: SERVER.keyPem, cert: SERVER.certPem, ...options });
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  server.on('request', (req, res) => {
    let body = '';
    req.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    req.on('end', () => {
      const { method = '', url = '', headers, socket } = req;
      received.push({ method, path: url, headers, body, port: socket.remotePort ?? 0 });
      const [first = status(200), ...more] = answers;
      if (more.length > 0) answers = more;
      first(req, res);
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return {
    url: `https://${host}:${address.port}/push?from=us`,
    received,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    answer: (...given) => (answers = given),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answering =>
  (_, res) =>
    void res.writeHead(code, headers).end(body);

export function toProxyCredential(
  url: string,
  fields: Partial<ProxyCredential> = {},
): ProxyCredential {
  return {
    provider: 'apns',
    route: 'proxy',
    id: randomUUID(),
    version: 1,
    url,
    caPem: SERVER.ca,
    schema: 'current',
    goneOn: [410],
    retry: 'documented',
    ...fields,
  };
}

export const WITH_CERTIFICATE = toShown(CLIENT);

export function toShown({ certPem, keyPem }: { certPem: string; keyPem: string }) {
  return { certificatePem: certPem, privateKeyPem: keyPem };
}
