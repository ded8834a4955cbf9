import { randomBytes } from 'node:crypto';

import type { SecretBox } from '@heliograph/core';
import { insertDeveloperKey, type Db } from '@heliograph/db';

import { getApp, type AppName } from '../apps/get-app.ts';
import { createDeveloperSecret } from './developer-secret.ts';

export interface CreatedDeveloperKey {
  readonly developerKey: string;
  /** Shown this once. */
  readonly secret: string;
  readonly createdAt: Date;
}

const KEY_BYTES = 15;

/** Makes a key with which signed requests may be sent to users of the app. Refuses an app that does not exist. */
export async function createDeveloperKey(
  deps: { readonly db: Db; readonly secrets: SecretBox },
  app: AppName,
  { name, carriers }: { readonly name: string; readonly carriers: readonly string[] },
): Promise<CreatedDeveloperKey> {
  const { id: appRef } = await getApp(deps.db, app);
  const developerKey = randomBytes(KEY_BYTES).toString('base64url');
  const { secret, stored } = createDeveloperSecret(deps.secrets);
  const key = { developerKey, appRef, name, carriers };
  const createdAt = await insertDeveloperKey(deps.db, key, stored);
  return { developerKey, secret, createdAt };
}
