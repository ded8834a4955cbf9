import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createAuthority, createServerCertificate } from '@heliograph/sandbox';
import { startOwnPostgres, type OwnServer } from '@heliograph/testing';

import { openDatabase, pingDatabase } from './database.ts';

const authority = createAuthority(new Date());
let server: OwnServer;
let folder: string;

beforeAll(async () => {
  const { certPem, keyPem } = createServerCertificate(authority, new Date());
  server = await startOwnPostgres({
    settings: { ssl: 'on', ssl_cert_file: 'cert.pem', ssl_key_file: 'key.pem' },
    files: { 'cert.pem': certPem, 'key.pem': keyPem },
  });
  folder = mkdtempSync(path.join(tmpdir(), 'heliograph-db-tls-'));
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.stop();
});

function urlTrusting(ca: string): string {
  const file = path.join(folder, 'ca.pem');
  writeFileSync(file, ca);
  return `${server.url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(file)}`;
}

async function ping(url: string): Promise<void> {
  const db = openDatabase(url, 1);
  try {
    await pingDatabase(db);
  } finally {
    await db.destroy();
  }
}

describe('a PostgreSQL that speaks TLS', () => {
  test('is reached by whoever trusts its authority', async () => {
    await expect(ping(urlTrusting(authority.caPem))).resolves.toBeUndefined();
  });

  test('is not believed where another authority is trusted', async () => {
    const stranger = createAuthority(new Date());

    await expect(ping(urlTrusting(stranger.caPem))).rejects.toThrow(/certificate|signature/i);
  });
});

describe('a PostgreSQL that does not speak TLS', () => {
  test('is refused by whoever asks for it', async () => {
    const plain = await startOwnPostgres();
    try {
      await expect(ping(`${plain.url}?sslmode=verify-full`)).rejects.toThrow(/SSL/);
    } finally {
      await plain.stop();
    }
  });
});
