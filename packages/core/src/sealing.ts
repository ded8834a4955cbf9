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
  /** Never fails; two seals of one secret differ. */
  seal(secret: Buffer, place: SealedPlace): Buffer;
  /** Throws where the value was changed, belongs to another place, or was sealed with a key that is not at hand. */
  open(sealed: Buffer, place: SealedPlace): Buffer;
}

/** Seals with the given 32-byte key. `keyId` (1–255 bytes) is stored beside the secret, so that keys can be rotated. */
export function createSecretBox(key: Buffer, keyId: string): SecretBox {
  if (key.length !== 32) throw new Error(`a secrets key has 32 bytes, this one has ${key.length}`);
  const id = Buffer.from(keyId, 'utf8');
  if (id.length < 1 || id.length > 255) throw new Error('a secrets key id has 1 to 255 bytes');

  return {
    seal(secret, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const header = Buffer.concat([Buffer.from([VERSION, id.length]), id]);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(toAad(header, place));
      const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
      return Buffer.concat([header, nonce, cipher.getAuthTag(), ciphertext]);
    },

    open(sealed, place) {
      const idLength = sealed[1] ?? 0;
      const header = sealed.subarray(0, 2 + idLength);
      if (sealed[0] !== VERSION || sealed.length < header.length + NONCE_BYTES + TAG_BYTES)
        throw new Error('this is not a sealed secret');
      const sealedWith = header.subarray(2).toString('utf8');
      if (sealedWith !== keyId)
        throw new Error(`the secret was sealed with key ${sealedWith}, at hand is ${keyId}`);

      const nonce = sealed.subarray(header.length, header.length + NONCE_BYTES);
      const rest = sealed.subarray(header.length + NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce)
        .setAAD(toAad(header, place))
        .setAuthTag(rest.subarray(0, TAG_BYTES));
      return Buffer.concat([decipher.update(rest.subarray(TAG_BYTES)), decipher.final()]);
    },
  };
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
