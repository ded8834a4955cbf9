import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { createSandbox } from '../index.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sandbox-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('the folder of a sandbox', () => {
  test('holds certificates and keys; what is private only its owner can read', async () => {
    const sandbox = await createSandbox({ dir });
    await sandbox.close();
    const { keyId } = sandbox.credentials.apns;

    const modes = await Promise.all(
      (await readdir(dir)).map(async (file) => {
        const { mode } = await stat(join(dir, file));
        return [file, (mode & 0o777).toString(8)];
      }),
    );

    expect(Object.fromEntries(modes)).toEqual({
      'ca.pem': '644',
      'ca-key.pem': '600',
      'server.pem': '644',
      'server-key.pem': '600',
      'client.pem': '644',
      'client-key.pem': '600',
      'expired-client.pem': '600',
      'foreign-client.pem': '600',
      [`AuthKey_${keyId}.p8`]: '600',
      'service-account.json': '600',
      'credentials.json': '600',
    });
    const credentials = JSON.parse(await readFile(join(dir, 'credentials.json'), 'utf8'));
    expect(credentials).toEqual(sandbox.credentials);
  });

  test('keeps the credentials over a restart', async () => {
    const first = await createSandbox({ dir });
    await first.close();

    const second = await createSandbox({ dir });
    await second.close();

    expect(second.credentials).toEqual(first.credentials);
    expect(second.caPem).toBe(first.caPem);
  });
});

describe('the server certificate', () => {
  test.each(['localhost', '127.0.0.1'])('is good for %s', async (name) => {
    const sandbox = await createSandbox();
    const port = Number(new URL(sandbox.apnsUrl).port);

    const socket = connect({ port, host: '127.0.0.1', ca: sandbox.caPem, ALPNProtocols: ['h2'] });
    await new Promise((resolve, reject) => socket.on('secureConnect', resolve).on('error', reject));
    const certificate = new X509Certificate(socket.getPeerX509Certificate()?.raw ?? '');
    socket.destroy();
    await sandbox.close();

    expect(certificate.checkHost(name) ?? certificate.checkIP(name)).toBe(name);
    expect(certificate.checkIssued(new X509Certificate(sandbox.caPem))).toBe(true);
    expect(new Date(certificate.validTo).getTime()).toBeGreaterThan(Date.now());
  });
});
