import { randomBytes, randomUUID } from 'node:crypto';

import type { SecretBox } from '@heliograph/core';
import { toDeveloperSecretPlace, type NewDeveloperSecret } from '@heliograph/db';

const SECRET_BYTES = 32;

/** A new secret: as its developer gets it, and as it is stored. */
export function createDeveloperSecret(secrets: SecretBox): {
  readonly secret: string;
  readonly stored: NewDeveloperSecret;
} {
  const id = randomUUID();
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const sealedSecret = secrets.seal(Buffer.from(secret, 'utf8'), toDeveloperSecretPlace(id));
  return { secret, stored: { id, sealedSecret } };
}

/** The secret, where this installation's key sealed it at that place. */
export function openDeveloperSecret(secrets: SecretBox, stored: NewDeveloperSecret): string {
  return secrets.open(stored.sealedSecret, toDeveloperSecretPlace(stored.id)).toString('utf8');
}
