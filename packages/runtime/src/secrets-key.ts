import type { EnvReader } from './env.ts';

const KEY_BYTES = 32;

/** What secrets in the database are sealed and opened with. */
export interface SecretsKeys {
  /** It seals whatever is sealed from now on, and opens it. */
  readonly sealing: Buffer;
  /** They open only: the keys that were, and the one that will be. */
  readonly opening: readonly Buffer[];
}

/** Where a process has its secrets keys from; asked once, at its start. */
export interface KeySource {
  /** Rejects where they are not to be had. */
  load(): Promise<SecretsKeys>;
}

/**
 * The environment as a source of keys, each of them 32 bytes in base64. The one that seals is in `SECRETS_KEY`, or in the file that
 * `SECRETS_KEY_FILE` names; those that open besides are in `SECRETS_OTHER_KEYS`, or in the file that `SECRETS_OTHER_KEYS_FILE` names, one
 * a line or with commas between.
 */
export function readKeySource(read: EnvReader): KeySource {
  const keys: SecretsKeys = { sealing: readSealingKey(read), opening: readOpeningKeys(read) };
  return { load: () => Promise.resolve(keys) };
}

function readSealingKey(read: EnvReader): Buffer {
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
  return toKey(read, 'the secrets key', given ?? file?.toString('utf8') ?? '');
}

function readOpeningKeys(read: EnvReader): readonly Buffer[] {
  const texts = (read.secret('SECRETS_OTHER_KEYS') ?? '')
    .split(/[\s,]+/)
    .filter((text) => text !== '');
  return texts.map((text, n) => toKey(read, `key ${n + 1} of SECRETS_OTHER_KEYS`, text));
}

/** A mistake never repeats what was given: it may be a key with a bit too much around it. */
function toKey(read: EnvReader, name: string, text: string): Buffer {
  const key = Buffer.from(text, 'base64');
  if (key.length === KEY_BYTES) return key;
  read.refuse(`${name} has ${key.length} bytes instead of ${KEY_BYTES} (in base64)`);
  return Buffer.alloc(KEY_BYTES);
}
