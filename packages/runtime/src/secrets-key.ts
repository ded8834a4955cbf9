import type { EnvReader } from './env.ts';

const KEY_BYTES = 32;

/** The key that seals secrets in the database: 32 bytes in base64, from `SECRETS_KEY`, or from the file that `SECRETS_KEY_FILE` names. */
export function readSecretsKey(read: EnvReader): Buffer {
  const given = read.optional('SECRETS_KEY');
  const file = read.optionalFile('SECRETS_KEY_FILE');
  if (given === undefined && file === undefined) {
    read.refuse('SECRETS_KEY or SECRETS_KEY_FILE is not set');
    return Buffer.alloc(KEY_BYTES);
  }
  if (given !== undefined && file !== undefined) {
    read.refuse('SECRETS_KEY and SECRETS_KEY_FILE are both set');
    return Buffer.alloc(KEY_BYTES);
  }
  const key = Buffer.from(given ?? file?.toString('utf8') ?? '', 'base64');
  if (key.length !== KEY_BYTES)
    read.refuse(`the secrets key has ${key.length} bytes instead of ${KEY_BYTES} (in base64)`);
  return key;
}
