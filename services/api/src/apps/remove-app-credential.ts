import type { Provider } from '@heliograph/core';
import { removeCredential, type Db } from '@heliograph/db';

import { getApp, type AppName } from './get-app.ts';

/** The app and its devices stay. Removing what is not there is fine. */
export async function removeAppCredential(
  deps: { readonly db: Db },
  name: AppName,
  provider: Provider,
): Promise<void> {
  const app = await getApp(deps.db, name);
  await removeCredential(deps.db, app.id, provider);
}
