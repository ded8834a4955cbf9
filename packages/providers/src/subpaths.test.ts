import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const REPORT = `
  const { findPayloadViolation } = await import('@heliograph/providers/payload');
  const { readApnsCertificate } = await import('@heliograph/providers/certificate');
  const message = { id: 'i', body: {}, silent: false, priority: 'HIGH', expiresAt: new Date() };
  const { createRequire } = await import('node:module');
  const loaded = Object.keys(createRequire(process.cwd() + '/x.js').cache);
  console.log(JSON.stringify({
    violation: findPayloadViolation(message, 'apns') ?? null,
    certificate: readApnsCertificate({ file: Buffer.alloc(0) }),
    clients: loaded.filter((path) => /node-apn|google-auth-library|undici/.test(path)),
  }));
`;

test('payload limits and certificates come without the client libraries', async () => {
  const args = ['--conditions=@heliograph/source', '--import', 'tsx', '--input-type=module'];
  const cwd = join(__dirname, '..');

  const { stdout } = await promisify(execFile)(process.execPath, [...args, '-e', REPORT], { cwd });

  expect(JSON.parse(stdout)).toEqual({
    violation: null,
    certificate: { kind: 'fault', fault: 'unreadable' },
    clients: [],
  });
});
