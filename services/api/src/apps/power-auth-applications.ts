import { Refusal } from '@heliograph/core';
import { listApps, type Db } from '@heliograph/db';

import type { PowerAuthClient } from '../activations/power-auth-client.ts';
import { isRecord } from '../http/reader.ts';
import type { RequestOrigin } from '../origin.ts';
import type { ApplicationDirectory, ApplicationName } from './application-directory.ts';

/** Applications are those of the PowerAuth Server; unconfigured are those that nobody made here yet. */
export function createPowerAuthApplications(db: Db, client: PowerAuthClient): ApplicationDirectory {
  async function listAll(origin: RequestOrigin): Promise<readonly ApplicationName[]> {
    const answer = await client.call({
      path: 'v3/application/list',
      requestObject: {},
      origin,
      isCorrelated: true,
    });
    if (!isRecord(answer) || !Array.isArray(answer['applications']))
      throw new Refusal('upstream_failed', 'The applications could not be obtained.');
    return answer['applications'].map(toApplication).filter((app) => app !== undefined);
  }

  return {
    async listNames(origin) {
      const apps = await listAll(origin);
      return new Map(apps.flatMap(({ appId, appName }) => (appName ? [[appId, appName]] : [])));
    },
    async listUnconfigured(origin) {
      const [all, configured] = await Promise.all([listAll(origin), listApps(db)]);
      const known = new Set(configured.map((app) => app.appId));
      return all.filter((app) => !known.has(app.appId));
    },
  };
}

/** Older servers have `id` and `applicationName`, newer ones `applicationId` alone. */
function toApplication(value: unknown): ApplicationName | undefined {
  if (!isRecord(value)) return undefined;
  const { id, applicationId, applicationName } = value;
  const appId = applicationId ?? id;
  if (typeof appId !== 'string' && typeof appId !== 'number') return undefined;
  return {
    appId: String(appId),
    appName: typeof applicationName === 'string' ? applicationName : null,
  };
}
