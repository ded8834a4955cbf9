import { saveCredential, toKeyPlace } from '@heliograph/db';

import { getApp, type AppName } from './get-app.ts';
import { verifyCredential, type Candidate, type VerifyDeps } from './verify-credential.ts';

export type NewCredential = Candidate & {
  /** As the provider hands it out: a .p8 file, or a service account's JSON, unread; or a packed certificate. */
  readonly key: Buffer;
  /** Whether its provider is asked first. */
  readonly verify: boolean;
};

/** Replaces the app's credential for the provider, unless it is to be verified and is not. Messages that waited because of the old one go again. */
export async function saveAppCredential(
  deps: VerifyDeps,
  name: AppName,
  { key, verify, ...credential }: NewCredential,
): Promise<void> {
  const app = await getApp(deps.db, name);
  if (verify) await verifyCredential(deps, { ...credential, key });
  const sealedKey = deps.secrets.seal(key, toKeyPlace(app.id, credential.provider));
  await saveCredential(deps.db, { ...credential, appRef: app.id, sealedKey });
}
