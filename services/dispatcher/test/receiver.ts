import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';

import { createAuthority, createServerCertificate } from '@heliograph/sandbox';

const AUTHORITY = createAuthority(new Date());
const SHOWN = createServerCertificate(AUTHORITY, new Date());

/** What the authority of every receiver is trusted by. */
export const RECEIVER_CA = AUTHORITY.caPem;

export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface ReceivedCallback {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** As it came. */
  readonly body: Buffer;
  readonly appId: number | string;
  readonly events: readonly ReceivedEvent[];
  readonly cursor: string;
  /** Which of the receiver's secrets it is signed with; undefined for none. */
  readonly signedWith: string | undefined;
}

export interface Receiver {
  readonly url: string;
  /** Host and port. */
  readonly target: string;
  /** Every request, in the order in which their bodies were complete. */
  readonly received: readonly ReceivedCallback[];
  /** Of TCP, closed ones too. */
  readonly connections: number;
  /** Requests that were not answered yet: now, and at most, per path. */
  readonly unanswered: ReadonlyMap<string, { readonly now: number; readonly most: number }>;
  /** Of those that were answered with 200, in their order. */
  taken(): readonly ReceivedEvent[];
  /** How requests are answered from now on; 200 at first. */
  answer(how: (callback: ReceivedCallback, response: ServerResponse) => unknown): void;
  close(): Promise<void>;
}

/** A receiver of callbacks as docs/callbacks.md would have it, on HTTPS at 127.0.0.1. It knows our signature by the documents alone. */
export async function openReceiver(secrets: readonly string[]): Promise<Receiver> {
  const received: ReceivedCallback[] = [];
  const taken: ReceivedEvent[] = [];
  const unanswered = new Map<string, { now: number; most: number }>();
  let connections = 0;
  let how: Parameters<Receiver['answer']>[0] = (_, response) => void response.end();

  const server = createServer({ key: SHOWN.keyPem, cert: SHOWN.certPem }, (request, response) => {
    const path = request.url ?? '';
    const count = unanswered.get(path) ?? { now: 0, most: 0 };
    count.now += 1;
    count.most = Math.max(count.most, count.now);
    unanswered.set(path, count);
    response.on('close', () => (count.now -= 1));
    void readBody(request).then((body) => {
      const callback = toReceived(request, body, secrets);
      received.push(callback);
      response.on('finish', () => {
        if (response.statusCode === 200) taken.push(...callback.events);
      });
      how(callback, response);
    });
  });
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  const target = `127.0.0.1:${address.port}`;
  return {
    url: `https://${target}`,
    target,
    received,
    unanswered,
    get connections() {
      return connections;
    },
    taken: () => taken,
    answer: (other) => (how = other),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function toReceived(
  request: IncomingMessage,
  body: Buffer,
  secrets: readonly string[],
): ReceivedCallback {
  const parsed = JSON.parse(body.toString()) as Pick<
    ReceivedCallback,
    'appId' | 'events' | 'cursor'
  >;
  return {
    ...parsed,
    path: request.url ?? '',
    headers: request.headers,
    body,
    signedWith: secrets.find((secret) => isSigned(request, body, secret)),
  };
}

function isSigned({ method, url, headers }: IncomingMessage, body: Buffer, secret: string) {
  const [, nonce = '', signature = ''] =
    /^MAAIISDK10 key="[^"]+", nonce="([^"]+)", signature="([0-9a-f]{64})"$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const md5 = createHash('md5').update(body).digest('hex');
  const text = [method, url, md5, headers['content-type'], headers['x-m-date'], nonce].join('\n');
  return (
    md5 === headers['content-md5'] &&
    createHmac('sha256', secret).update(text).digest('hex') === signature
  );
}
