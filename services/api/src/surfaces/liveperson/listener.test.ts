import { once } from 'node:events';
import { connect } from 'node:tls';

import { createLogger } from '@heliograph/runtime';
import { createServerCertificate } from '@heliograph/sandbox';
import { makeAuthority, makeClient, postPush } from '@heliograph/testing/live-person';

import { findIdentityMistakes, openReceiverServer } from './listener.ts';

const authority = makeAuthority();
const { certPem, keyPem } = createServerCertificate(authority, new Date());
const IDENTITY = {
  cert: Buffer.from(certPem),
  key: Buffer.from(keyPem),
  clientCa: Buffer.from(authority.caPem),
};

describe('the files of the listener', () => {
  const junk = Buffer.from('junk');
  const otherKey = Buffer.from(makeClient(authority).keyPem);

  test('are fine where they belong together', () => {
    expect(findIdentityMistakes(IDENTITY)).toEqual([]);
  });

  test.each([
    [{ cert: junk }, 'LIVEPERSON_TLS_CERT_FILE holds no certificate'],
    [{ key: junk }, 'LIVEPERSON_TLS_KEY_FILE holds no private key'],
    [{ key: otherKey }, 'LIVEPERSON_TLS_KEY_FILE does not fit'],
    [{ clientCa: Buffer.alloc(0) }, 'LIVEPERSON_CLIENT_CA_FILE holds no certificate'],
  ])('are refused by name: %#', (change, words) => {
    expect(findIdentityMistakes({ ...IDENTITY, ...change })).toEqual([
      expect.stringContaining(words),
    ]);
  });
});

describe('a listener that closes', () => {
  test('answers the request that is under way', async () => {
    const client = makeClient(authority);
    let answer = () => {};
    const { promise: underWay, resolve: arrived } = withResolvers();
    const server = await openReceiverServer(
      (_req, res) => {
        answer = () => res.end('{"status":"OK"}');
        arrived();
      },
      { identity: IDENTITY, host: '127.0.0.1', port: 0 },
      createLogger('test', 'silent'),
    );

    const asking = postPush({ port: server.port, caPem: authority.caPem, client, body: {} });
    await underWay;
    const closing = server.close();
    answer();
    const { status } = await asking;
    await closing;

    expect(status).toBe(200);
  });
});

function withResolvers() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

describe('a client that takes its time', () => {
  test('is hung up on in the middle of its body', async () => {
    const client = makeClient(authority);
    const server = await openReceiverServer(
      (req) => req.resume(),
      { identity: IDENTITY, host: '127.0.0.1', port: 0, requestMs: 50 },
      createLogger('test', 'silent'),
    );
    const socket = connect({
      host: '127.0.0.1',
      port: server.port,
      ca: authority.caPem,
      cert: client.certPem,
      key: client.keyPem,
    });
    await once(socket, 'secureConnect');

    socket.write('POST /push/proxy/liveperson HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{');
    socket.resume();
    await once(socket, 'close');

    await server.close();
  });
});
