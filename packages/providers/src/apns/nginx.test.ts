import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { describeWithForeign, eventually, toEndpoints } from '@heliograph/testing';

import { createProviderPool, type ProviderPool } from '../provider-pool.ts';
import type { Attempt, Push, PushProvider } from '../push-provider.ts';
import {
  createApnsToken,
  createMessage,
  createPush,
  findFreePort,
  toApnsCredential,
} from '../test-fixtures.ts';

const REQUESTS_PER_CONNECTION = 20;

/** Speaks HTTP/2 as nginx does: APNs' paths and answers, and a real GOAWAY after every 20 requests of a connection. */
function toConfig(folder: string, port: number): string {
  return `
    daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log info;
    events { worker_connections 256; }
    http {
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      log_format pushes '$status $http_apns_id $http_apns_topic $server_protocol';
      access_log ${folder}/access.log pushes;
      server {
        listen 127.0.0.1:${port} ssl http2;
        ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server-key.pem;
        keepalive_requests ${REQUESTS_PER_CONNECTION};
        default_type application/json;
        location ~ ^/3/device/dead { return 410 '{"reason":"Unregistered","timestamp":1700000000000}'; }
        location ~ ^/3/device/bad0 { return 503 '{"reason":"ServiceUnavailable"}'; }
        location ~ ^/3/device/ { add_header apns-id $http_apns_id; return 200; }
      }
    }`;
}

describeWithForeign('nginx', 'APNs by nginx', (program) => {
  let folder: string;
  let nginx: ChildProcess;
  let sandbox: Sandbox;
  let pool: ProviderPool;
  let provider: PushProvider;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'heliograph-nginx-'));
    mkdirSync(path.join(folder, 'body'));
    // For its certificates and keys only; nothing is sent to it.
    sandbox = await createSandbox({ dir: folder });
    const port = await findFreePort();
    writeFileSync(path.join(folder, 'nginx.conf'), toConfig(folder, port));
    nginx = spawn(
      program,
      ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', path.join(folder, 'error.log')],
      {
        stdio: 'ignore',
      },
    );
    const url = `https://127.0.0.1:${port}`;
    const endpoints = toEndpoints(sandbox);
    pool = createProviderPool({
      endpoints: { ...endpoints, apns: { ...endpoints.apns, production: url } },
      idleMs: 60_000,
    });
    provider = pool.get(toApnsCredential(sandbox));
    await eventually(async () => {
      expect((await send(createPush(createApnsToken()))).outcome.kind).toBe('sent');
    });
    writeFileSync(path.join(folder, 'access.log'), '');
  });

  afterAll(async () => {
    await pool.close();
    nginx.kill('SIGTERM');
    await once(nginx, 'exit');
    await sandbox.close();
    rmSync(folder, { recursive: true });
  });

  /** As the dispatcher does it: what was provably not processed goes again. */
  async function send(push: Push): Promise<Attempt> {
    for (;;) {
      const attempt = await provider.send(push);
      if (attempt.outcome.kind !== 'requeue') return attempt;
    }
  }

  const readLog = () =>
    readFileSync(path.join(folder, 'access.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' '));

  test('takes a burst of 200 pushes through many GOAWAYs, each exactly once', async () => {
    const message = createMessage();
    const pushes = Array.from({ length: 200 }, () => createPush(createApnsToken(), { message }));

    const attempts = await Promise.all(pushes.map(send));

    expect(attempts.map(({ outcome }) => outcome)).toEqual(
      pushes.map(({ deliveryId }) => ({ kind: 'sent', providerMessageId: deliveryId })),
    );
    await eventually(() => expect(readLog()).toHaveLength(200));
    expect(
      readLog()
        .map(([, apnsId]) => apnsId)
        .toSorted(),
    ).toEqual(pushes.map(({ deliveryId }) => deliveryId).toSorted());
    expect(new Set(readLog().map(([, , topic, protocol]) => `${topic} ${protocol}`))).toEqual(
      new Set([`${sandbox.credentials.apns.bundle} HTTP/2.0`]),
    );
  });

  test.each([
    ['dead', { kind: 'gone', reason: 'Unregistered', invalidSince: new Date(1_700_000_000_000) }],
    ['bad0', { kind: 'retry', reason: 'ServiceUnavailable', backoff: 'apns_trouble' }],
  ])('refuses a token that begins with %s, with status and reason', async (begin, outcome) => {
    const attempt = await send(createPush(begin + createApnsToken().slice(4)));

    expect(attempt.outcome).toMatchObject(outcome);
  });
});
