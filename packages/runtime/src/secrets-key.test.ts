import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ConfigError, EnvReader } from './env.ts';
import { readKeySource, type SecretsKeys } from './secrets-key.ts';

const key = randomBytes(32);
const [old, next] = [randomBytes(32), randomBytes(32)];
const KEY = { SECRETS_KEY: key.toString('base64') };

async function read(env: NodeJS.ProcessEnv): Promise<SecretsKeys> {
  const reader = new EnvReader(env);
  return reader.finish(readKeySource(reader)).load();
}

describe('the secrets key', () => {
  test('is 32 bytes in base64', async () => {
    expect(await read(KEY)).toEqual({ sealing: key, opening: [] });
  });

  test.each([
    [{}, 'not set'],
    [{ SECRETS_KEY: 'c2hvcnQ=' }, '5 bytes'],
    [{ SECRETS_KEY_FILE: '/nowhere/at/all' }, 'cannot be read'],
    [{ ...KEY, SECRETS_KEY_FILE: __filename }, 'both set'],
  ])('%j is refused', async (env, reason) => {
    await expect(read(env)).rejects.toThrow(ConfigError);
    await expect(read(env)).rejects.toThrow(reason);
  });
});

describe('other keys', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'heliograph-keys-'))));
  afterAll(() => rm(folder, { recursive: true }));

  const both = [old, next].map((one) => one.toString('base64'));

  test.each([
    ['with commas', both.join(',')],
    ['one a line', `${both.join('\n')}\n`],
    ['with room around them', ` ${both.join(' ,\r\n')} \r\n\n`],
  ])('open only; they are given %s', async (_, text) => {
    const file = join(folder, 'keys');
    await writeFile(file, text);

    const keys = { sealing: key, opening: [old, next] };
    expect(await read({ ...KEY, SECRETS_OTHER_KEYS: text })).toEqual(keys);
    expect(await read({ ...KEY, SECRETS_OTHER_KEYS_FILE: file })).toEqual(keys);
  });

  test('may be none: a file for them may be there before they are', async () => {
    const file = join(folder, 'none');
    await writeFile(file, '\n');

    expect((await read({ ...KEY, SECRETS_OTHER_KEYS_FILE: file })).opening).toEqual([]);
  });

  test.each([
    [{ SECRETS_OTHER_KEYS: `${both[0]},c2hvcnQ=` }, 'key 2 of SECRETS_OTHER_KEYS has 5 bytes'],
    [{ SECRETS_OTHER_KEYS_FILE: '/nowhere/at/all' }, 'cannot be read'],
    [{ SECRETS_OTHER_KEYS: both[0], SECRETS_OTHER_KEYS_FILE: __filename }, 'both set'],
  ])('%# are refused by name, and not repeated', async (env, reason) => {
    await expect(read({ ...KEY, ...env })).rejects.toThrow(reason);
    await expect(read({ ...KEY, ...env })).rejects.not.toThrow(both[0]);
  });
});
