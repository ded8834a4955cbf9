import { randomBytes } from 'node:crypto';

import { ConfigError, EnvReader } from './env.ts';
import { readSecretsKey } from './secrets-key.ts';

function read(env: NodeJS.ProcessEnv): Buffer {
  const reader = new EnvReader(env);
  return reader.finish(readSecretsKey(reader));
}

describe('the secrets key', () => {
  const key = randomBytes(32);

  test('is 32 bytes in base64', () => {
    expect(read({ SECRETS_KEY: key.toString('base64') })).toEqual(key);
  });

  test.each([
    [{}, 'not set'],
    [{ SECRETS_KEY: 'c2hvcnQ=' }, '5 bytes'],
    [{ SECRETS_KEY_FILE: '/nowhere/at/all' }, 'cannot be read'],
    [{ SECRETS_KEY: key.toString('base64'), SECRETS_KEY_FILE: __filename }, 'both set'],
  ])('%j is refused', (env, reason) => {
    expect(() => read(env)).toThrow(ConfigError);
    expect(() => read(env)).toThrow(reason);
  });
});
