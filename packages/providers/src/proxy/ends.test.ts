import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';

import { eventually } from '@heliograph/testing';

import type { Credential, ProxyCredential } from '../credential.ts';
import { createProviderPool, type ProviderPool, type ProviderPoolDeps } from '../provider-pool.ts';
import { createPush, findFreePort } from '../test-fixtures.ts';
import { PRODUCTION_ENDPOINTS } from '../credential.ts';
import { openTestProxy, status, toProxyCredential, type TestProxy } from './test-proxy.ts';

let proxy: TestProxy;
let pool: ProviderPool;

function openPool(deps: Partial<ProviderPoolDeps> = {}): ProviderPool {
  return createProviderPool({
    endpoints: { ...PRODUCTION_ENDPOINTS, proxy: { allowPrivateAddresses: true } },
    idleMs: 60_000,
    ...deps,
  });
}

beforeEach(async () => {
  proxy = await openTestProxy();
  pool = openPool();
});
afterEach(async () => {
  pool.abandon();
  await pool.close();
  await proxy.close();
});

const toCredential = (fields: Partial<ProxyCredential> = {}) =>
  toProxyCredential(proxy.url, fields);
const send = (credential: Credential, push = createPush('a token')) =>
  pool.get(credential).send(push);

const times = <T>(count: number, one: T) => Array.from({ length: count }, () => one);

const LOST = { kind: 'ambiguous', backoff: 'proxy_trouble', limit: 4 };
const UNSENT = { kind: 'retry', backoff: 'connection', bound: 'expiry' };

describe('a connection that ends', () => {
  const cut = (req: IncomingMessage) => void req.socket.destroy();

  test('before it stands leaves the push unsent', async () => {
    const port = await findFreePort();

    const attempt = await send(toProxyCredential(`https://127.0.0.1:${port}/`));

    expect(attempt).toMatchObject({ outcome: { ...UNSENT, reason: 'ECONNREFUSED' } });
    expect(attempt).not.toHaveProperty('status');
  });

  test.each<[string, (socket: Socket) => void]>([
    ['at once', (socket) => void socket.destroy()],
    ['at the first byte of TLS', (socket) => void socket.once('data', () => socket.destroy())],
  ])('in its making, %s, leaves the push unsent', async (_, end) => {
    const server = await listen(end);

    const attempt = await send(toProxyCredential(toUrl(server)));

    expect(attempt).toMatchObject({ outcome: UNSENT });
    await close(server);
  });

  test('when the request is read, unanswered, leaves it open what became of it', async () => {
    proxy.answer(cut);

    expect(await send(toCredential())).toMatchObject({ outcome: LOST });
    expect(proxy.received).toHaveLength(1);
  });

  test('in the middle of the head of an answer, too', async () => {
    proxy.answer((req) => void req.socket.end('HTTP/1.1 200 OK\r\nContent-Le'));

    expect(await send(toCredential())).toMatchObject({ outcome: LOST });
  });

  test('in the middle of the body has told the status', async () => {
    proxy.answer((req, res) => {
      res.writeHead(200, { 'content-length': '1000' }).write('half of');
      setImmediate(() => req.socket.destroy());
    });

    expect(await send(toCredential())).toMatchObject({ outcome: { kind: 'sent' }, status: 200 });
  });

  test('with what is not HTTP leaves it open', async () => {
    proxy.answer((req) => void req.socket.end('220 mail.example.com ESMTP\r\n'));

    expect(await send(toCredential())).toMatchObject({ outcome: LOST });
  });

  test('by the other side while it is idle costs nothing: the next push has a new one', async () => {
    proxy.answer((req, res) => {
      res.end();
      setImmediate(() => req.socket.end());
    });
    const credential = toCredential();

    const outcomes = [];
    for (let n = 0; n < 3; n += 1) {
      outcomes.push((await send(credential)).outcome);
      await eventually(() => expect(proxy.open).toBe(0));
    }

    expect(outcomes).toEqual(times(3, { kind: 'sent' }));
  });

  test('just when a kept one is written to is not taken for unsent', async () => {
    // From here that looks the same as one that the other side had closed a moment before.
    const used = new WeakSet();
    proxy.answer((req, res) => {
      if (used.has(req.socket)) return cut(req);
      used.add(req.socket);
      res.end();
    });
    const credential = toCredential();

    const outcomes = [];
    while (outcomes.length < 9) outcomes.push((await send(credential)).outcome);

    // With eight connections at most the ninth push at the latest is the second one of its connection.
    const others = outcomes.filter(({ kind }) => kind !== 'sent');
    expect(others.length).toBeGreaterThan(0);
    expect(others).toMatchObject(times(others.length, LOST));
  });

  test('never, and is never answered: given up in time, and nobody knows', async () => {
    await pool.close();
    pool = openPool({ deadlinesMs: { proxy: 200 } });
    proxy.answer(() => undefined);

    expect(await send(toCredential())).toMatchObject({ outcome: { ...LOST, reason: 'timeout' } });
    await eventually(() => expect(proxy.open).toBe(0));
  });

  test('never stands: given up in time, and nothing was sent', async () => {
    await pool.close();
    pool = openPool({ deadlinesMs: { proxy: 200 } });
    const server = await listen(() => undefined);

    const attempt = await send(toProxyCredential(toUrl(server)));

    expect(attempt).toMatchObject({ outcome: { ...UNSENT, reason: 'timeout' } });
    await close(server);
  });

  test('five times in a row, and never before was of use, stops everything', async () => {
    proxy.answer(cut);
    const credential = toCredential();

    const outcomes = [];
    for (let n = 0; n < 5; n += 1) outcomes.push((await send(credential)).outcome);

    expect(outcomes).toMatchObject([...times(4, LOST), { kind: 'pause', scope: 'endpoint' }]);
  });

  test('however often, after the proxy took a push, is the network', async () => {
    proxy.answer(status(200), cut);
    const credential = toCredential();
    await send(credential);

    const outcomes = [];
    for (let n = 0; n < 8; n += 1) outcomes.push((await send(credential)).outcome);

    expect(outcomes).toMatchObject(times(8, LOST));
  });
});

async function listen(onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    server.once('closing', () => socket.destroy());
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  server.emit('closing');
  await new Promise((resolve) => server.close(resolve));
}

function toUrl(server: Server): string {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return `https://127.0.0.1:${address.port}/`;
}
