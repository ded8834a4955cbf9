import type { Provider } from '@heliograph/core';
import { removeProxy as deleteProxy, type Db } from '@heliograph/db';

import { getApp, type AppName } from './get-app.ts';

/** The app's own credential that stood by, if there is one, is in use again. Removing what is not there is fine. */
export async function removeProxy(
  deps: { readonly db: Db },
  name: AppName,
  provider: Provider,
): Promise<void> {
  const app = await getApp(deps.db, name);
  await deleteProxy(deps.db, app.id, provider);
}
