import { Refusal } from '@heliograph/core';
import { findApp, type App, type Db } from '@heliograph/db';

/** How requests name an app: by the row's id, or by its own id. Where both are given they must agree. */
export interface AppName {
  readonly id?: number | undefined;
  readonly appId?: string | undefined;
}

/** Refuses an app that does not exist. */
export async function getApp(db: Db, { id, appId }: AppName): Promise<App> {
  const key = id === undefined ? (appId === undefined ? undefined : { appId }) : { id };
  if (key === undefined) throw new Refusal('invalid_request', 'requestObject.appId is missing.');
  const app = await findApp(db, key);
  if (app === undefined || (appId !== undefined && app.appId !== appId))
    throw new Refusal('invalid_request', 'There is no such application.');
  return app;
}
