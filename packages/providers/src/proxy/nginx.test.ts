import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { describeWithForeign, eventually } from '@heliograph/testing';

import { PRODUCTION_ENDPOINTS, type ProxyCredential } from '../credential.ts';
import { createProviderPool, type ProviderPool } from '../provider-pool.ts';
import type { Attempt, Push } from '../push-provider.ts';
import { createPush, findFreePort } from '../test-fixtures.ts';
import {
  CLIENT_CA,
  EXPIRED_CLIENT,
  FOREIGN_CLIENT,
  SERVER,
  toProxyCredential,
  toShown,
  WITH_CERTIFICATE,
} from './test-proxy.ts';

const REQUESTS_PER_CONNECTION = 20;
const YEARS_MS = 3 * 365 * 86_400_000;

/** A customer's proxy as many are: nginx in front, which checks the client's certificate, and then answers. */
function toConfig(folder: string, ports: readonly [tls13: number, tls12: number]): string {
  const toServer = (port: number, version: string) => `
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_protocols ${version};
        ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server-key.pem;
        ssl_client_certificate ${folder}/clients.pem; ssl_verify_client on;
        keepalive_requests ${REQUESTS_PER_CONNECTION};
        location = /push { return 200; }
        location = /gone { return 410; }
        location = /refusing { return 403; }
        location = /away { return 503; }
        location = /elsewhere { return 302 https://127.0.0.1:${port}/push; }
        location = /strict { if ($http_idempotency_key = '') { return 422; } return 204; }
      }`;
  return `
    daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log info;
    events { worker_connections 256; }
    http {
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      log_format posts '$status $http_idempotency_key $ssl_protocol $ssl_client_verify $connection';
      access_log ${folder}/access.log posts;${toServer(ports[0], 'TLSv1.3')}${toServer(ports[1], 'TLSv1.2')}
    }`;
}

describeWithForeign('nginx', "a customer's proxy by nginx with ssl_verify_client on", (program) => {
  let folder: string;
  let nginx: ChildProcess;
  let pool: ProviderPool;
  let now: Date;
  let origins: Readonly<Record<string, string>>;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'heliograph-nginx-'));
    mkdirSync(path.join(folder, 'body'));
    writeFileSync(path.join(folder, 'server.pem'), SERVER.certPem);
    writeFileSync(path.join(folder, 'server-key.pem'), SERVER.keyPem);
    writeFileSync(path.join(folder, 'clients.pem'), CLIENT_CA);
    const ports = [await findFreePort(), await findFreePort()] as const;
    origins = {
      'TLSv1.3': `https://127.0.0.1:${ports[0]}`,
      'TLSv1.2': `https://127.0.0.1:${ports[1]}`,
    };
    const file = path.join(folder, 'nginx.conf');
    writeFileSync(file, toConfig(folder, ports));
    const args = ['-p', folder, '-c', file, '-e', path.join(folder, 'error.log')];
    nginx = spawn(program, args, { stdio: 'ignore' });
    openPool();
    for (const version of ['TLSv1.3', 'TLSv1.2'])
      await eventually(async () => {
        const { outcome } = await send(version, '/push', WITH_CERTIFICATE);
        expect(outcome).toEqual({ kind: 'sent' });
      });
    await pool.close();
  });
  afterAll(async () => {
    nginx.kill('SIGTERM');
    await once(nginx, 'exit');
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    openPool();
    writeFileSync(path.join(folder, 'access.log'), '');
  });
  afterEach(() => pool.close());

  function openPool(): void {
    now = new Date();
    pool = createProviderPool({
      endpoints: { ...PRODUCTION_ENDPOINTS, proxy: { allowPrivateAddresses: true } },
      idleMs: 60_000,
      clock: () => now,
    });
  }

  function toCredential(version: string, target: string, fields: Partial<ProxyCredential>) {
    return toProxyCredential(`${origins[version]}${target}`, fields);
  }

  function send(
    version: string,
    target: string,
    fields: Partial<ProxyCredential>,
    push: Push = createPush('a token'),
  ): Promise<Attempt> {
    return pool.get(toCredential(version, target, fields)).send(push);
  }

  const readLog = () =>
    readFileSync(path.join(folder, 'access.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' '));

  describe.each(['TLSv1.3', 'TLSv1.2'])('over %s', (version) => {
    test('takes a push with the right certificate', async () => {
      const push = createPush('a token');

      const attempt = await send(version, '/strict', WITH_CERTIFICATE, push);

      expect(attempt).toMatchObject({ outcome: { kind: 'sent' }, status: 204 });
      await eventually(() =>
        expect(readLog()).toEqual([
          ['204', push.deliveryId, version, 'SUCCESS', expect.any(String)],
        ]),
      );
    });

    test.each<[string, Partial<ProxyCredential>]>([
      ['no certificate', {}],
      ['one of another authority', toShown(FOREIGN_CLIENT)],
      ['one whose time is over', toShown(EXPIRED_CLIENT)],
    ])('blames the request where it gets %s, and we know better', async (_, shown) => {
      // Ours would not even try with an expired one.
      now = new Date(now.getTime() - YEARS_MS + 86_400_000);

      const attempt = await send(version, '/push', shown);

      expect(attempt).toMatchObject({
        outcome: { kind: 'pause', reason: 'certificate_refused', scope: 'endpoint' },
        status: 400,
      });
    });

    test('closes a connection after so many pushes, and none is lost or sent twice', async () => {
      const credential = toCredential(version, '/push', WITH_CERTIFICATE);
      const pushes = Array.from({ length: 10 * REQUESTS_PER_CONNECTION }, () => createPush('one'));

      const attempts = await Promise.all(pushes.map((push) => pool.get(credential).send(push)));

      expect(new Set(attempts.map(({ outcome }) => outcome.kind))).toEqual(new Set(['sent']));
      await eventually(() => expect(readLog()).toHaveLength(pushes.length));
      expect(
        readLog()
          .map(([, key]) => key)
          .toSorted(),
      ).toEqual(pushes.map(({ deliveryId }) => deliveryId).toSorted());
      expect(new Set(readLog().map((line) => line.at(-1))).size).toBeGreaterThanOrEqual(10);
    });
  });

  test.each<[string, object]>([
    ['/gone', { kind: 'gone', reason: 'http_410' }],
    ['/refusing', { kind: 'fail', reason: 'http_403', refusedBy: 'device' }],
    ['/away', { kind: 'retry', reason: 'http_503', backoff: 'proxy_trouble' }],
    ['/elsewhere', { kind: 'fail', reason: 'http_redirect', alarm: true }],
    ['/nowhere', { kind: 'fail', reason: 'http_404', pauseAfter: 10 }],
  ])('answers at %s what becomes %j', async (target, outcome) => {
    expect(await send('TLSv1.3', target, WITH_CERTIFICATE)).toMatchObject({ outcome });
    await eventually(() => expect(readLog()).toHaveLength(1));
  });
});
