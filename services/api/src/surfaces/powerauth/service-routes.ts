import type { ProvidersMode } from '@heliograph/db';

import { NOTHING } from '../../access/subject.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { toWireDate } from '../../http/instant.ts';
import { SERVICE_STATUS } from './service-endpoints.ts';

/** What the server says of itself. */
export interface ServiceInfo {
  readonly applicationName: string;
  readonly applicationDisplayName: string;
  readonly applicationEnvironment: string;
  readonly version: string | undefined;
  readonly buildTime: Date | undefined;
  readonly providers: ProvidersMode;
}

export function serviceRoutes(info: ServiceInfo, now: () => Date): readonly Route[] {
  return [
    route(SERVICE_STATUS, NOTHING, async () => ({
      applicationName: info.applicationName,
      applicationDisplayName: info.applicationDisplayName,
      applicationEnvironment: info.applicationEnvironment,
      providers: info.providers,
      version: info.version ?? null,
      buildTime: info.buildTime === undefined ? null : toWireDate(info.buildTime),
      timestamp: toWireDate(now()),
    })),
  ];
}
