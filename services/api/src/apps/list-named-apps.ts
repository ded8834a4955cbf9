import { listApps, type App, type Db } from '@heliograph/db';

import type { RequestOrigin } from '../origin.ts';
import type { ApplicationDirectory } from './application-directory.ts';

export interface AppDeps {
  readonly db: Db;
  readonly applications: ApplicationDirectory;
}

/** Every app, with the name that the directory has for it, or else its own. */
export async function listNamedApps(deps: AppDeps, origin: RequestOrigin): Promise<readonly App[]> {
  const [apps, names] = await Promise.all([listApps(deps.db), deps.applications.listNames(origin)]);
  return apps.map((app) => ({ ...app, appName: names.get(app.appId) ?? app.appName }));
}
