import { Refusal } from '@heliograph/core';
import { deleteUsedCallbackSecrets, insertCallbackSecret } from '@heliograph/db';

import { getCallback, type CallbackDeps } from './callback-deps.ts';
import { createSecret } from './register-callback.ts';

export interface RotatedCallbackSecret {
  readonly key: string;
  /** Shown here and never again. */
  readonly secret: string;
  readonly usedFrom: Date;
}

/**
 * Makes a secret that requests are signed with from so many seconds on, so that the receiver can be taught it before. Refuses a callback
 * of a developer key: that is signed with the key's own.
 */
export async function rotateCallbackSecret(
  { db, secrets }: CallbackDeps,
  id: number,
  afterSeconds: number,
): Promise<RotatedCallbackSecret> {
  const { callbackKey } = await getCallback(db, id);
  if (callbackKey === null)
    throw new Refusal(
      'invalid_request',
      'This callback is signed with a developer key: rotate the secret of that.',
    );
  const secret = createSecret();
  const usedFrom = await db.transaction().execute(async (tx) => {
    const from = await insertCallbackSecret(tx, id, afterSeconds, (place) =>
      secrets.seal(Buffer.from(secret), place),
    );
    await deleteUsedCallbackSecrets(tx, id);
    return from;
  });
  return { key: callbackKey, secret, usedFrom };
}
