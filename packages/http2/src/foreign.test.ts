import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSecureContext } from 'node:tls';

import { describeWithForeign, eventually } from '@heliograph/testing';

import type { ConnectOptions } from './connect.ts';
import type { Request, RequestEnd } from './request.ts';
import { IDENTITY, TestServers, trySend, type Probe, type Sent } from './test-servers.ts';

const connections = new TestServers();
let folder: string;
const running: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'heliograph-http2-'));
  mkdirSync(path.join(folder, 'body'));
  writeFileSync(inFolder('ca.pem'), IDENTITY.ca);
  writeFileSync(inFolder('cert.pem'), IDENTITY.certPem);
  writeFileSync(inFolder('key.pem'), IDENTITY.keyPem);
});

afterEach(async () => {
  await connections.close();
  for (const server of running.splice(0)) {
    if (server.exitCode !== null) continue;
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
  rmSync(folder, { recursive: true });
});

function inFolder(name: string): string {
  return path.join(folder, name);
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return address.port;
}

/** Waits until it takes connections. */
async function start(program: string, args: readonly string[], port: number): Promise<void> {
  running.push(spawn(program, args, { stdio: 'ignore' }));
  await eventually(async () => {
    (await connections.connect(port, trusted())).connection.destroy('ready');
  });
}

function trusted(
  options: { readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' } = {},
): Partial<ConnectOptions> {
  const { ca, certPem: cert, keyPem: key } = IDENTITY;
  return { secureContext: createSecureContext({ ca, cert, key, ...options }) };
}

async function startNginx(
  program: string,
  { http = '', location = 'return 200;' }: { http?: string; location?: string } = {},
): Promise<number> {
  const port = await findFreePort();
  writeFileSync(
    inFolder('nginx.conf'),
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log info;
    events { worker_connections 256; }
    http {
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      log_format requests '$status $http_x_id'; access_log ${folder}/access.log requests;
      ${http}
      server {
        listen 127.0.0.1:${port} ssl http2; ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
        location / { ${location} }
      }
    }`,
  );
  const args = ['-p', folder, '-c', inFolder('nginx.conf'), '-e', inFolder('error.log')];
  await start(program, args, port);
  return port;
}

async function startNghttpd(program: string, ...options: readonly string[]): Promise<number> {
  const port = await findFreePort();
  const address = [
    '-a',
    '127.0.0.1',
    '-d',
    folder,
    String(port),
    inFolder('key.pem'),
    inFolder('cert.pem'),
  ];
  await start(program, [...options, ...address], port);
  return port;
}

/** As many as it takes until it takes no more. */
async function sendOver(
  probe: Probe,
  requests: readonly Partial<Request>[],
): Promise<ReadonlyMap<Partial<Request>, Sent>> {
  const sent = new Map<Partial<Request>, Sent>();
  for (const request of requests) {
    await Promise.race([probe.hasCapacity(), probe.closed]);
    const taken = trySend(probe.connection, request);
    if (taken === undefined) break;
    sent.set(request, taken);
  }
  return sent;
}

/** Sends what was not processed again, over a new connection, until there is nothing of that kind. */
async function sendEach(
  port: number,
  options: Partial<ConnectOptions>,
  requests: readonly Partial<Request>[],
) {
  const ends = new Map<Partial<Request>, RequestEnd>();
  let probes = 0;
  let unprocessed = 0;
  while (ends.size < requests.length) {
    const probe = await connections.connect(port, options);
    probes += 1;
    const sent = await sendOver(
      probe,
      requests.filter((request) => !ends.has(request)),
    );
    for (const [request, { ended }] of sent) {
      const end = await ended;
      if (end.kind === 'unprocessed') unprocessed += 1;
      else ends.set(request, end);
    }
  }
  return { ends: requests.map((request) => ends.get(request)), probes, unprocessed };
}

const withIds = (requests: number): readonly Partial<Request>[] =>
  Array.from({ length: requests }, (_, i) => ({ fields: [['x-id', `id-${i}`]] }));

function readLog(): readonly string[] {
  return readFileSync(inFolder('access.log'), 'utf8').split('\n').filter(Boolean);
}

const VERSIONS = [['TLSv1.2'], ['TLSv1.3']] as const;

describeWithForeign('nginx', 'HTTP/2 with nginx', (program) => {
  test.each(VERSIONS)(
    'by %s: a burst through many GOAWAYs, each exactly once',
    async (maxVersion) => {
      const port = await startNginx(program, { http: 'keepalive_requests 20;' });
      const requests = withIds(300);

      const { ends, probes, unprocessed } = await sendEach(port, trusted({ maxVersion }), requests);

      expect(ends).toMatchObject(
        requests.map(() => ({ kind: 'answered', status: 200, isComplete: true })),
      );
      expect(probes).toBeGreaterThanOrEqual(300 / 20);
      expect(unprocessed).toBeGreaterThan(0);
      await eventually(() => expect(readLog()).toHaveLength(300));
      expect(readLog().toSorted()).toEqual(requests.map((_, i) => `200 id-${i}`).toSorted());
    },
  );

  test('one stream at a time', async () => {
    const port = await startNginx(program, { http: 'http2_max_concurrent_streams 1;' });
    const probe = await connections.connect(port, trusted());
    const requests = withIds(100);

    expect(probe.connection).toMatchObject({ maxStreams: 1, capacity: 1 });
    const sent = await sendOver(probe, requests);
    const ends = await Promise.all([...sent.values()].map(({ ended }) => ended));

    expect(ends).toMatchObject(requests.map(() => ({ kind: 'answered', status: 200 })));
    await eventually(() => expect(readLog()).toEqual(requests.map((_, i) => `200 id-${i}`)));
  });

  test.each(VERSIONS)('by %s: a certificate of ours where it asks for one', async (maxVersion) => {
    const port = await startNginx(program, {
      http: `ssl_client_certificate ${folder}/ca.pem; ssl_verify_client on;`,
      location: 'return 200 $ssl_client_s_dn;',
    });
    const [known, unknown] = await Promise.all([
      connections.connect(port, trusted({ maxVersion })),
      connections.connect(port, {
        secureContext: createSecureContext({ ca: IDENTITY.ca, maxVersion }),
      }),
    ]);

    const ends = await Promise.all([known, unknown].map((probe) => probe.send().ended));

    expect(ends).toMatchObject([
      { status: 200, body: Buffer.from('CN=localhost') },
      { status: 400 },
    ]);
  });

  test('headers and answers of many kilobytes', async () => {
    const port = await startNginx(program, {
      http: 'large_client_header_buffers 4 128k;',
      location: 'return 200 $http_x_long;',
    });
    const probe = await connections.connect(port, trusted());
    const long = 'abc~'.repeat(12_500);

    const end = await probe.send({ fields: [['x-long', long]] }).ended;

    expect(end).toMatchObject({ status: 200, isComplete: true });
    expect(end.kind === 'answered' && end.body.toString() === long).toBe(true);
  });

  test('bodies far beyond its windows, while others go on', async () => {
    const port = await startNginx(program, {
      http: 'client_max_body_size 10m; http2_body_preread_size 1k;',
      location: `proxy_pass http://127.0.0.1:9/; proxy_intercept_errors on; error_page 502 =200 /done;
        location = /done { return 200 $request_length; }`,
    });
    const probe = await connections.connect(port, trusted());
    const requests = Array.from({ length: 8 }, () => ({ body: Buffer.alloc(2_000_000, 'x') }));

    const sent = await sendOver(probe, requests);
    const ends = await Promise.all([...sent.values()].map(({ ended }) => ended));

    expect(ends).toMatchObject(requests.map(() => ({ kind: 'answered', status: 200 })));
    const bytes = ends.map((end) => Number(end.kind === 'answered' && end.body));
    expect(Math.min(...bytes)).toBeGreaterThan(2_000_000);
  });
});

describeWithForeign('nghttpd', 'HTTP/2 with nghttpd', (program) => {
  const text = 'é~x'.repeat(15_000);

  test.each([
    ['as it is', []],
    ['with five streams', ['-m', '5']],
    ['with windows of 255 bytes', ['-w', '8', '-W', '8']],
    ['with stream windows of 1,023 bytes', ['-w', '10']],
    ['with windows of 2^30-1 bytes', ['-w', '30', '-W', '30']],
    ['with padding', ['-b', '200']],
    ['without a header table', ['-c', '0']],
    [
      'with a table of 100 bytes and a large one to encode',
      ['-c', '100', '--encoder-header-table-size=65536'],
    ],
    ['with trailers', ['--trailer', 'x-trailer: t']],
    ['with four threads', ['-n', '4']],
  ])('%s: gives each of a burst its own body back', async (_, options) => {
    const port = await startNghttpd(program, '--echo-upload', ...options);
    const probe = await connections.connect(port, trusted());
    // 60,000 bytes, short ones, and none at all.
    const bodies = Array.from({ length: 60 }, (_body, i) =>
      i % 20 === 0 ? text : `body ${i}`.repeat(i % 3),
    );

    const sent = await sendOver(
      probe,
      bodies.map((body) => ({ body })),
    );
    const ends = await Promise.all([...sent.values()].map(({ ended }) => ended));

    expect(ends).toMatchObject(
      bodies.map(() => ({ kind: 'answered', status: 200, isComplete: true })),
    );
    expect(ends.map((end) => end.kind === 'answered' && end.body.toString())).toEqual(bodies);
    expect(probe.connection).toMatchObject({ state: 'open', inFlight: 0 });
  });

  test('cuts a body off that is longer than its bound, and others go on', async () => {
    const port = await startNghttpd(program, '--echo-upload');
    const probe = await connections.connect(port, trusted());
    const body = Buffer.alloc(300_000, 'abcdefg');

    const sent = await sendOver(probe, [{ body }, { body: 'short' }]);
    const [long, short] = await Promise.all([...sent.values()].map(({ ended }) => ended));

    expect(long).toMatchObject({ status: 200, body: body.subarray(0, 65_535), isComplete: false });
    expect(short).toMatchObject({ status: 200, body: Buffer.from('short'), isComplete: true });
    expect(await probe.connection.ping(60_000)).toBe(true);
  });

  test.each(VERSIONS)('by %s: shows the certificate that it asks for', async (maxVersion) => {
    const port = await startNghttpd(program, '-V', '--echo-upload');
    const probe = await connections.connect(port, trusted({ maxVersion }));

    expect(await probe.send({ body: 'x' }).ended).toMatchObject({ status: 200 });
    expect(await probe.connection.ping(60_000)).toBe(true);
  });
});
