import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

import { openEventStream, type EventStream } from './event-stream.ts';

let server: Server;

beforeEach(async () => {
  server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

interface Opened {
  readonly stream: EventStream;
  readonly client: Socket;
  readonly drained: Promise<void>;
  readonly closed: Promise<void>;
}

/** A stream whose client reads only when the test says so. */
async function openStream(heartbeatMs?: number, method = 'GET'): Promise<Opened> {
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.pause();
  client.on('error', () => undefined);
  client.write(`${method} / HTTP/1.1\r\nHost: test\r\n\r\n`);
  const [, res] = (await once(server, 'request')) as [unknown, ServerResponse];

  let [onDrain, onClose] = [() => {}, () => {}];
  const drained = new Promise<void>((resolve) => {
    onDrain = resolve;
  });
  const closed = new Promise<void>((resolve) => {
    onClose = resolve;
  });
  return {
    stream: openEventStream(res, { heartbeatMs, onDrain, onClose }),
    client,
    drained,
    closed,
  };
}

/** What comes until this text, read at last. */
async function readUntil(client: Socket, text: string): Promise<string> {
  let read = '';
  client.setEncoding('utf8');
  for await (const part of client) {
    read += String(part);
    if (read.includes(text)) break;
  }
  return read;
}

/** More than the sockets between us and a client that does not read take. */
const LARGE = 'x'.repeat(16 * 1024 * 1024);

function fill(stream: EventStream): void {
  stream.send('large', LARGE);
  expect(stream.isDrained()).toBe(false);
}

describe('an event stream', () => {
  test('numbers its events, and ends', async () => {
    const { stream, client, closed } = await openStream();

    stream.send('progress', { a: 1 });
    stream.send('end', {});
    stream.end();
    stream.send('late', {});
    const text = await readUntil(client, '0\r\n\r\n');
    await closed;

    expect(text).toContain('Content-Type: text/event-stream\r\n');
    expect(text).toContain('Cache-Control: no-store\r\n');
    expect(text).toContain('X-Accel-Buffering: no\r\n');
    expect(text).toContain('event: progress\nid: 1\ndata: {"a":1}\n\n');
    expect(text).toContain('event: end\nid: 2\ndata: {}\n\n');
    expect(text).not.toContain('late');
  });

  test('takes ids from a caller who counts, and tells where it is without an event', async () => {
    const { stream, client } = await openStream();

    stream.tell({ id: 6, retryMs: 1999.5 });
    stream.send('message', {}, 7);
    stream.tell({ retryMs: 10 });
    stream.tell({ id: 9 });
    stream.end();

    const text = await readUntil(client, '0\r\n\r\n');
    const chunks = text.split('\r\n').filter((line) => line.endsWith('\n'));
    expect(chunks).toEqual([
      'retry: 2000\nid: 6\n\n',
      'event: message\nid: 7\ndata: {}\n\n',
      'retry: 10\n\n',
      'id: 9\n\n',
    ]);
  });

  test('shows that it lives by comments', async () => {
    const { client } = await openStream(5);

    expect(await readUntil(client, ':\n\n')).toContain(':\n\n');
  });

  test('says when the reader lags, and when it does not any more', async () => {
    const { stream, client, drained } = await openStream();

    fill(stream);
    client.resume();
    await drained;

    expect(stream.isDrained()).toBe(true);
  });

  test('cuts off who takes nothing for some heartbeats', async () => {
    const { stream, closed } = await openStream(5);

    fill(stream);

    await closed;
  });

  test('cuts off who does not take its end', async () => {
    const { stream, closed } = await openStream();

    fill(stream);
    stream.end();

    await closed;
  });

  test('notices a client that goes', async () => {
    const { client, closed } = await openStream();

    client.destroy();

    await closed;
  });

  test('is over for HEAD with its headers', async () => {
    const { stream, client, closed } = await openStream(undefined, 'HEAD');

    stream.send('progress', {});
    await closed;

    const text = await readUntil(client, '\r\n\r\n');
    expect(text).toContain('text/event-stream');
    expect(text).not.toContain('progress');
  });
});
