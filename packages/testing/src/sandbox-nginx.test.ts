import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createSandbox, type ClientCertificate, type Sandbox } from '@heliograph/sandbox';

import { describeWithForeign } from './foreign.ts';
import { eventually } from './eventually.ts';

/** A customer's proxy as a customer would set it up. */
function toConfig(folder: string, port: number): string {
  return `
    daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/error.log info;
    events { worker_connections 64; }
    http {
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      access_log off; server_tokens off;
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server-key.pem;
        ssl_client_certificate ${folder}/ca.pem; ssl_verify_client on;
        location /push { return 200; }
      }
    }`;
}

/** What a client gets that shows that certificate, or none. */
async function post(
  url: string,
  { caPem }: Sandbox,
  maxVersion: 'TLSv1.2' | 'TLSv1.3',
  client: ClientCertificate | undefined,
) {
  const body = JSON.stringify({
    'push-service': 1,
    notificationType: 'apn',
    'device-token': 'a',
    aps: {},
  });
  const sent = request(url, {
    method: 'POST',
    ca: caPem,
    maxVersion,
    agent: false,
    headers: { 'content-type': 'application/json' },
    ...(client && { cert: client.certPem, key: client.keyPem }),
  }).end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const part of response) text += part;
  return { status: response.statusCode, type: response.headers['content-type'], text };
}

describeWithForeign('nginx', 'the proxy of the sandbox that is like nginx', (program) => {
  let folder: string;
  let nginx: ChildProcess;
  let sandbox: Sandbox;
  let nginxUrl: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'heliograph-nginx-'));
    mkdirSync(path.join(folder, 'body'));
    sandbox = await createSandbox({ dir: folder });
    const port = await findFreePort();
    nginxUrl = `https://127.0.0.1:${port}/push`;
    const config = path.join(folder, 'nginx.conf');
    writeFileSync(config, toConfig(folder, port));
    nginx = spawn(program, ['-p', folder, '-c', config, '-e', path.join(folder, 'error.log')], {
      stdio: 'ignore',
    });
    await eventually(() => post(nginxUrl, sandbox, 'TLSv1.3', undefined));
  });

  afterAll(async () => {
    nginx.kill('SIGTERM');
    await once(nginx, 'exit');
    await sandbox.close();
    rmSync(folder, { recursive: true });
  });

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
    test.each<[string, () => ClientCertificate | undefined]>([
      ['that shows no certificate', () => undefined],
      ['of another authority', () => sandbox.addClientCertificate({ foreign: true })],
      ['whose certificate has expired', () => sandbox.addClientCertificate({ days: -1 })],
    ])('refuses a client %s in the words of nginx', async (_, certificate) => {
      const client = certificate();

      const theirs = await post(nginxUrl, sandbox, version, client);
      const ours = await post(sandbox.proxyPageUrl, sandbox, version, client);

      expect(theirs.status).toBe(400);
      expect(ours).toEqual(theirs);
    });

    test('takes a client of its own authority', async () => {
      const client = sandbox.addClientCertificate();

      const theirs = await post(nginxUrl, sandbox, version, client);
      const ours = await post(sandbox.proxyPageUrl, sandbox, version, client);

      expect([theirs.status, ours.status]).toEqual([200, 200]);
    });
  });
});

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('No port.');
  return address.port;
}
