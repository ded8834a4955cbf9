import { Refusal } from '@heliograph/core';
import { createApp as insertApp, type Db } from '@heliograph/db';

/** Answers the id of the app's row. Refuses an app id that is taken. */
export async function createApp(
  deps: { readonly db: Db },
  app: { readonly appId: string; readonly appName?: string },
): Promise<number> {
  const id = await insertApp(deps.db, { appId: app.appId, appName: app.appName });
  if (id === undefined)
    throw new Refusal('invalid_request', `Application ${app.appId} exists already.`);
  return id;
}
