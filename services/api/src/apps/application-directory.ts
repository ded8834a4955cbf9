import { listApps, type Db } from '@heliograph/db';

import type { RequestOrigin } from '../origin.ts';

export interface ApplicationName {
  readonly appId: string;
  readonly appName: string | null;
}

/** Knows which applications there are besides the configured ones, and what they are called. */
export interface ApplicationDirectory {
  /** Names by app id, as far as they are not in our own table. Refuses when the directory cannot be asked. */
  listNames(origin: RequestOrigin): Promise<ReadonlyMap<string, string>>;
  listUnconfigured(origin: RequestOrigin): Promise<readonly ApplicationName[]>;
}

/** Applications are those that callers made here; unconfigured are those without any credential. */
export function createLocalApplications(db: Db): ApplicationDirectory {
  return {
    listNames: async () => new Map(),
    async listUnconfigured() {
      const apps = await listApps(db);
      return apps.filter((app) => !app.apns && !app.fcm);
    },
  };
}
