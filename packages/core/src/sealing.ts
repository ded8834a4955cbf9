import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/*
 * A sealed secret is: version 1 | length of key id | key id | nonce (12) | tag (16) | ciphertext.
 * AES-256-GCM; the place where it is stored (table, column, row) is authenticated with it, so that a sealed value
 * copied to another row does not open there.
 */
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Where a sealed value lives. */
export interface SealedPlace {
  readonly table: string;
  readonly column: string;
  /** The row's primary key. */
  readonly row: string;
}

export interface SecretBox {
  /** The key that seals from now on; one of `keyIds`. */
  readonly sealingKeyId: string;
  /** Every key that opens. */
  readonly keyIds: ReadonlySet<string>;
  /** Never fails; two seals of one secret differ. */
  seal(secret: Buffer, place: SealedPlace): Buffer;
  /** Throws where the value was changed or belongs to another place; a `KeyNotAtHand` where another key sealed it. */
  open(sealed: Buffer, place: SealedPlace): Buffer;
}

/** A secret was sealed with a key that this process was not given: the secret may be good, and others may open it. */
export class KeyNotAtHand extends Error {
  override readonly name = 'KeyNotAtHand';
  readonly keyId: string;

  constructor(keyId: string, atHand: Iterable<string>) {
    super(`the secret was sealed with key ${keyId}, at hand is ${[...atHand].join(', ')}`);
    this.keyId = keyId;
  }
}

/**
 * Seals with the one 32-byte key and opens what any of the keys sealed. The id of a key is stored beside the secret, so that keys can be
 * changed one process and one row at a time.
 */
export function createSecretBox(sealing: Buffer, opening: readonly Buffer[] = []): SecretBox {
  const keys = new Map([sealing, ...opening].map((key) => [toKeyId(toWhole(key)), key]));
  const sealingKeyId = toKeyId(sealing);
  const header = toHeader(sealingKeyId);

  return {
    sealingKeyId,
    keyIds: new Set(keys.keys()),

    seal(secret, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(toAad(header, place));
      const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
      return Buffer.concat([header, nonce, cipher.getAuthTag(), ciphertext]);
    },

    open(sealed, place) {
      const sealedWith = readKeyId(sealed);
      if (sealedWith === undefined) throw new Error('this is not a sealed secret');
      const key = keys.get(sealedWith);
      if (key === undefined) throw new KeyNotAtHand(sealedWith, keys.keys());

      const { header: own, nonce, tag, ciphertext } = split(sealed);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce)
        .setAAD(toAad(own, place))
        .setAuthTag(tag);
      return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
    },
  };
}

/** Which key sealed it; undefined where it is no sealed secret. */
export function readKeyId(sealed: Buffer): string | undefined {
  const { header, tag } = split(sealed);
  if (sealed[0] !== VERSION || header.length < 3 || tag.length < TAG_BYTES) return undefined;
  return header.subarray(2).toString('utf8');
}

function split(sealed: Buffer) {
  const nonceAt = 2 + (sealed[1] ?? 0);
  const tagAt = nonceAt + NONCE_BYTES;
  return {
    header: sealed.subarray(0, nonceAt),
    nonce: sealed.subarray(nonceAt, tagAt),
    tag: sealed.subarray(tagAt, tagAt + TAG_BYTES),
    ciphertext: sealed.subarray(tagAt + TAG_BYTES),
  };
}

function toHeader(keyId: string): Buffer {
  const id = Buffer.from(keyId, 'utf8');
  return Buffer.concat([Buffer.from([VERSION, id.length]), id]);
}

function toWhole(key: Buffer): Buffer {
  if (key.length === 32) return key;
  throw new Error(`a secrets key has 32 bytes, this one has ${key.length}`);
}

/** A short public name of a key, derived from it: the same key has the same id on every machine. */
export function toKeyId(key: Buffer): string {
  return Buffer.from(hkdfSync('sha256', key, '', 'heliograph key id', 6)).toString('hex');
}

function toAad(header: Buffer, place: SealedPlace): Buffer {
  return Buffer.concat([
    header,
    Buffer.from(JSON.stringify([place.table, place.column, place.row])),
  ]);
}
