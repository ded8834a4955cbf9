import type { Environment } from '@heliograph/core';
import {
  listCredentialSettings,
  type ApnsSettings,
  type App,
  type FcmSettings,
} from '@heliograph/db';

import { getApp, type AppName } from './get-app.ts';
import type { AppDeps } from './list-named-apps.ts';

/** An app with the public part of its credentials. */
export interface AppDetail {
  readonly app: App;
  readonly apns: (ApnsSettings & { readonly environment: Environment | null }) | undefined;
  readonly fcm: FcmSettings | undefined;
}

export async function getAppDetail(deps: AppDeps, name: AppName): Promise<AppDetail> {
  const app = await getApp(deps.db, name);
  const [names, credentials] = await Promise.all([
    deps.applications.listNames(),
    listCredentialSettings(deps.db, app.id),
  ]);
  let apns: AppDetail['apns'];
  let fcm: AppDetail['fcm'];
  for (const { environment, settings } of credentials)
    if ('bundle' in settings) apns = { ...settings, environment };
    else fcm = settings;
  return { app: { ...app, appName: names.get(app.appId) ?? app.appName }, apns, fcm };
}
