import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What a server does with a request, once it has all of it. */
export type Answerer = (res: ServerResponse, req: Received) => unknown;

export interface TestServer {
  readonly url: string;
  /** Every request that came, in order. */
  readonly received: readonly Received[];
  close(): Promise<void>;
}

/** A real server that does what it is told: one answer per request, the last one for all that follow. */
export async function openTestServer(...answers: readonly Answerer[]): Promise<TestServer> {
  const received: Received[] = [];
  const server = createServer((req, res) => void answer(req, res));

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(Buffer.from(part));
    const { method, url, headers } = req;
    const request = { method, url, headers, body: Buffer.concat(parts).toString() };
    received.push(request);
    answers[Math.min(received.length, answers.length) - 1]?.(res, request);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Answerer {
  return (res) =>
    res
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body));
}

export const ok = (responseObject?: unknown) => json(200, { status: 'OK', responseObject });

export const refuse = (status: number, code: string, headers: Record<string, string> = {}) =>
  json(status, { status: 'ERROR', responseObject: { code, message: 'No.' } }, headers);

/** The connection breaks without a word. */
export const cut: Answerer = (res) => res.destroy();

/** The connection breaks in the middle of an answer. */
export const cutInside: Answerer = (res) => {
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
  res.write('{"status":"OK"', () => res.destroy());
};

/** A proxy between, with words of its own. */
export const html =
  (status: number): Answerer =>
  (res) =>
    res.writeHead(status, { 'content-type': 'text/html' }).end('<html>Sorry.</html>');

/** No answer, ever. */
export const silence: Answerer = () => undefined;
