import { once } from 'node:events';
import { createServer, request as forward, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Passed {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What the server answered; undefined for one whose answer is still coming. */
  readonly status: number | undefined;
  readonly answerHeaders: IncomingHttpHeaders;
}

export interface CuttingProxy {
  readonly url: string;
  /** Every request, once its answer began. */
  readonly passed: readonly Passed[];
  /** The answers of the next requests get lost: the server did what it was asked, and nobody hears of it. */
  loseAnswers(count: number): void;
  /** Breaks all connections. */
  cut(): void;
  close(): Promise<void>;
}

/** Stands between a client and a server, and loses answers when it is told to. */
export async function openCuttingProxy(target: string): Promise<CuttingProxy> {
  const passed: Passed[] = [];
  const sockets = new Set<Socket>();
  let toLose = 0;

  const server = createServer(async (req, res) => {
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const isLost = toLose > 0;
    if (isLost) toLose -= 1;
    const { method, url, headers } = req;
    const outgoing = forward(target + url, { method, headers, agent: false }, (answer) => {
      const { statusCode: status, headers: answerHeaders } = answer;
      passed.push({ method, url, headers, body: body.toString(), status, answerHeaders });
      if (isLost) {
        answer.resume();
        return void answer.once('end', () => res.destroy());
      }
      res.writeHead(status ?? 500, answerHeaders);
      answer.pipe(res);
      answer.once('error', () => res.destroy());
    });
    outgoing.once('error', () => res.destroy());
    // Whoever went away is not waited for.
    res.once('close', () => outgoing.destroy());
    outgoing.end(body);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => sockets.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    loseAnswers: (count) => (toLose = count),
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
