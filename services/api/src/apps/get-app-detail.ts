import type { Environment, Provider } from '@heliograph/core';
import {
  listCredentialSettings,
  type ApnsSettings,
  type App,
  type FcmSettings,
  type ProxySettings,
} from '@heliograph/db';

import type { RequestOrigin } from '../origin.ts';
import { getApp, type AppName } from './get-app.ts';
import type { AppDeps } from './list-named-apps.ts';

/** An app with the public part of its credentials. One of its own that stands by for a proxy is among them. */
export interface AppDetail {
  readonly app: App;
  readonly apns: (ApnsSettings & { readonly environment: Environment | null }) | undefined;
  readonly fcm: FcmSettings | undefined;
  /** Where pushes go that go to a customer's proxy. */
  readonly proxies: Readonly<Record<Provider, ProxySettings | undefined>>;
}

export async function getAppDetail(
  deps: AppDeps,
  name: AppName,
  origin: RequestOrigin,
): Promise<AppDetail> {
  const app = await getApp(deps.db, name);
  const [names, credentials] = await Promise.all([
    deps.applications.listNames(origin),
    listCredentialSettings(deps.db, app.id),
  ]);
  let apns: AppDetail['apns'];
  let fcm: AppDetail['fcm'];
  const proxies: Record<Provider, ProxySettings | undefined> = { apns: undefined, fcm: undefined };
  for (const { provider, environment, settings } of credentials)
    if ('url' in settings) proxies[provider] = settings;
    else if ('bundle' in settings) apns = { ...settings, environment };
    else fcm = settings;
  const named = { ...app, appName: names.get(app.appId) ?? app.appName };
  return { app: named, apns, fcm, proxies };
}
