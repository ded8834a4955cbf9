import type { Environment, SecretBox } from '@heliograph/core';
import { saveCredential, toKeyPlace, type CredentialSettings, type Db } from '@heliograph/db';

import { getApp, type AppName } from './get-app.ts';

export type NewCredential = CredentialSettings & {
  readonly environment: Environment | null;
  /** As the provider hands it out: a .p8 file, or a service account's JSON, unread; or a packed certificate. */
  readonly key: Buffer;
};

/** Replaces the app's credential for the provider. Messages that waited because of the old one go again. */
export async function saveAppCredential(
  deps: { readonly db: Db; readonly secrets: SecretBox },
  name: AppName,
  { key, ...credential }: NewCredential,
): Promise<void> {
  const app = await getApp(deps.db, name);
  const sealedKey = deps.secrets.seal(key, toKeyPlace(app.id, credential.provider));
  await saveCredential(deps.db, { ...credential, appRef: app.id, sealedKey });
}
