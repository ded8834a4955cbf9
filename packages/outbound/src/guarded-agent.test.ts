import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TlsOptions } from 'node:tls';

import { createAuthority, createServerCertificate } from '@heliograph/sandbox';
import type { Agent } from 'undici';

import { createGuardedAgent, type GuardedAgentOptions } from './guarded-agent.ts';
import { answerInTurn } from './test-lookup.ts';

const AUTHORITY = createAuthority(new Date());
const SHOWN = createServerCertificate(AUTHORITY, new Date());

interface Opened {
  readonly port: number;
  /** Of TCP, closed ones too. */
  readonly connections: number;
  readonly paths: readonly string[];
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A server for `localhost` and 127.0.0.1, listening on the latter. */
async function openServer(
  answer: (req: IncomingMessage, res: ServerResponse) => void = (_, res) => void res.end('here'),
  options: TlsOptions = {},
): Promise<Opened> {
  const paths: string[] = [];
  let connections = 0;
  const server: Server = createServer(
    { key: SHOWN.keyPem, cert: SHOWN.certPem, ...options },
    (req, res) => {
      paths.push(req.url ?? '');
      answer(req, res);
    },
  );
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return {
    port: address.port,
    paths,
    get connections() {
      return connections;
    },
  };
}

function openAgent(options: Partial<GuardedAgentOptions> = {}): Agent {
  const agent = createGuardedAgent({
    allowPrivateAddresses: false,
    connections: 1,
    ca: [AUTHORITY.caPem],
    ...options,
  });
  closing.push(() => agent.destroy());
  return agent;
}

async function get(agent: Agent, origin: string, path = '/'): Promise<string> {
  const { statusCode, body } = await agent.request({ origin, path, method: 'GET' });
  return `${statusCode} ${await body.text()}`;
}

describe('an agent for addresses of customers', () => {
  test('refuses an address in the URL that is not public, without a connection', async () => {
    const server = await openServer();
    const agent = openAgent();

    for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]'])
      await expect(get(agent, `https://${host}:${server.port}`)).rejects.toMatchObject({
        code: 'ERR_ADDRESS_REFUSED',
      });

    expect(server.connections).toBe(0);
  });

  test('refuses a name that leads to addresses that are not public', async () => {
    const server = await openServer();
    const { lookup } = answerInTurn(['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1']);
    const agent = openAgent({ lookup });

    await expect(get(agent, `https://push.example.com:${server.port}`)).rejects.toMatchObject({
      code: 'ERR_ADDRESS_REFUSED',
      reason: 'private_address',
    });

    expect(server.connections).toBe(0);
  });

  test('asks anew for each connection: a name may have come to lead elsewhere', async () => {
    const server = await openServer((_, res) => void res.setHeader('connection', 'close').end());
    const { lookup, asked } = answerInTurn(['127.0.0.1']);
    const agent = openAgent({ allowPrivateAddresses: true, lookup });
    const origin = `https://localhost:${server.port}`;

    await get(agent, origin);
    await get(agent, origin);

    expect(asked).toEqual(['localhost', 'localhost']);
    expect(server.connections).toBe(2);
  });

  test('reaches a private address where that is allowed', async () => {
    const server = await openServer();
    const { lookup } = answerInTurn(['127.0.0.1']);
    const agent = openAgent({ allowPrivateAddresses: true, lookup });

    expect(await get(agent, `https://127.0.0.1:${server.port}`)).toBe('200 here');
    expect(await get(agent, `https://localhost:${server.port}`)).toBe('200 here');
  });

  test('follows no redirect', async () => {
    const target = await openServer();
    const server = await openServer((_, res) => {
      res.writeHead(307, { location: `https://127.0.0.1:${target.port}/` }).end();
    });
    const agent = openAgent({ allowPrivateAddresses: true });

    expect(await get(agent, `https://127.0.0.1:${server.port}`)).toBe('307 ');
    expect(target.connections).toBe(0);
  });

  test('checks the name in the certificate, also where the address is the right one', async () => {
    const server = await openServer();
    const { lookup } = answerInTurn(['127.0.0.1']);
    const agent = openAgent({ allowPrivateAddresses: true, lookup });

    await expect(get(agent, `https://push.example.com:${server.port}`)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });

    expect(server.paths).toEqual([]);
  });

  test('trusts nobody but the public authorities and those it was given', async () => {
    const server = await openServer();
    const agent = openAgent({ allowPrivateAddresses: true, ca: [] });

    await expect(get(agent, `https://127.0.0.1:${server.port}`)).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });

    expect(server.paths).toEqual([]);
  });

  test('keeps its connections to itself', async () => {
    const server = await openServer((req, res) => {
      res.end(`from ${req.socket.remotePort}`);
    });
    const [one, other] = [0, 1].map(() => openAgent({ allowPrivateAddresses: true }));
    const origin = `https://127.0.0.1:${server.port}`;

    const first = await get(one!, origin);
    const again = await get(one!, origin);
    const others = await get(other!, origin);

    expect(again).toBe(first);
    expect(others).not.toBe(first);
    expect(server.connections).toBe(2);
  });

  test('says why it is refused where TLS 1.3 tells that after the handshake', async () => {
    const server = await openServer(undefined, {
      minVersion: 'TLSv1.3',
      ca: AUTHORITY.caPem,
      requestCert: true,
    });
    const agent = openAgent({ allowPrivateAddresses: true });

    await expect(get(agent, `https://127.0.0.1:${server.port}`)).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    });

    expect(server.paths).toEqual([]);
  });

  test('is not made with a key that does not fit', () => {
    const other = createServerCertificate(AUTHORITY, new Date());

    expect(() => openAgent({ key: other.keyPem, cert: SHOWN.certPem })).toThrow(
      expect.objectContaining({ code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' }),
    );
  });
});
