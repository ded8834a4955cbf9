import { Refusal, type SecretBox } from '@heliograph/core';
import { rotateDeveloperSecret, type Db } from '@heliograph/db';

import { createDeveloperSecret } from './developer-secret.ts';

export interface RotatedDeveloperKey {
  /** Shown this once. */
  readonly secret: string;
  /** Null where the old secret ended at once. */
  readonly oldSecretValidUntil: Date | null;
}

/**
 * Gives the key a new secret; the old one is valid for that many seconds more. Refuses while two are valid, for a third would end
 * one that somebody may still use; with 0 seconds it ends all others at once.
 */
export async function rotateDeveloperKey(
  deps: { readonly db: Db; readonly secrets: SecretBox },
  developerKey: string,
  oldValidForSeconds: number,
): Promise<RotatedDeveloperKey> {
  const { secret, stored } = createDeveloperSecret(deps.secrets);
  const rotated = await rotateDeveloperSecret(deps.db, developerKey, stored, oldValidForSeconds);
  switch (rotated.kind) {
    case 'unknown_key':
      throw new Refusal('invalid_request', 'There is no such developer key.');
    case 'two_valid':
      throw new Refusal(
        'conflict',
        `Two secrets are valid until ${rotated.oldValidUntil.toISOString()}. Wait for that, or end all others at once with validForSeconds 0.`,
      );
    case 'rotated':
      return { secret, oldSecretValidUntil: rotated.oldValidUntil };
  }
}
