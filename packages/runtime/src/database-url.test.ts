import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { readDatabaseUrl } from './database-url.ts';
import { EnvReader } from './env.ts';

const read = (env: NodeJS.ProcessEnv) => {
  const reader = new EnvReader(env);
  return reader.finish(readDatabaseUrl(reader));
};

describe('DATABASE_URL', () => {
  test('is taken as it is where no password is given beside it', () => {
    const url = read({ DATABASE_URL: 'postgres://a:b@host/db?sslmode=verify-full' });

    expect(url).toBe('postgres://a:b@host/db?sslmode=verify-full');
  });

  test('gets the password of DATABASE_PASSWORD, whatever characters it has', () => {
    const url = read({ DATABASE_URL: 'postgres://a@host/db', DATABASE_PASSWORD: 'p@s/s:%41' });

    expect(decodeURIComponent(new URL(url).password)).toBe('p@s/s:%41');
    expect(new URL(url).hostname).toBe('host');
  });

  test('gets the password of a file, without the line’s end', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'heliograph-password-'));
    const file = path.join(folder, 'password');
    writeFileSync(file, 'secret\n');
    try {
      const url = read({ DATABASE_URL: 'postgres://a:old@host/db', DATABASE_PASSWORD_FILE: file });

      expect(url).toBe('postgres://a:secret@host/db');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('with a password given twice, or in a file that is not there, is refused', () => {
    const DATABASE_URL = 'postgres://a@host/db';

    expect(() =>
      read({ DATABASE_URL, DATABASE_PASSWORD: 'x', DATABASE_PASSWORD_FILE: '/nowhere' }),
    ).toThrow(/DATABASE_PASSWORD and DATABASE_PASSWORD_FILE are both set/);
    expect(() => read({ DATABASE_URL, DATABASE_PASSWORD_FILE: '/nowhere' })).toThrow(
      /DATABASE_PASSWORD_FILE cannot be read/,
    );
  });
});
