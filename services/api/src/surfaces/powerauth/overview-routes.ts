import type { Provider } from '@heliograph/core';
import type { Db } from '@heliograph/db';

import { ofAppIfNamed } from '../../access/subject.ts';
import { getAppRef } from '../../devices/device-deps.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { toWireDate } from '../../http/instant.ts';
import { createOverviewReader, type Overview } from '../../overview/get-overview.ts';
import { toWireCertificate } from './certificate-routes.ts';
import { toWirePause } from './control-routes.ts';
import { toWireFailure } from './failure-routes.ts';
import { toWireAppId } from './fields.ts';
import { GET_OVERVIEW } from './overview-endpoints.ts';
import { toProgress } from './run-routes.ts';

/** How it stands, at a glance. */
export function overviewRoutes(deps: {
  readonly db: Db;
  readonly now: () => Date;
}): readonly Route[] {
  const reader = createOverviewReader(deps);
  return [
    route(GET_OVERVIEW, ofAppIfNamed(), async ({ appId }, { caller }) =>
      toWire(
        await reader.read(appId === undefined ? caller.app?.ref : await getAppRef(deps.db, appId)),
      ),
    ),
  ];
}

function toWire(overview: Overview) {
  const { at, runs, lanes, failures, pauses, heldFaults, dispatchers, certificates, callbacks } =
    overview;
  return {
    at: toWireDate(at),
    runs: runs.map(toProgress),
    lanes: [...lanes],
    failures: failures.map(toWireFailure),
    pauses: pauses.map(toWirePause),
    heldFaults: heldFaults.map(({ appId, provider, since, ...held }) => ({
      ...held,
      appId: toWireAppId(appId),
      platform: toWirePlatform(provider),
      since: toWireDate(since),
    })),
    dispatchers:
      dispatchers?.map(({ startedAt, seenAt, ...dispatcher }) => ({
        ...dispatcher,
        startedAt: toWireDate(startedAt),
        seenAt: toWireDate(seenAt),
      })) ?? null,
    certificates: certificates.map(toWireCertificate),
    callbacks: callbacks.map(({ appId, failingSince, suspendedAt, ...callback }) => ({
      ...callback,
      appId: toWireAppId(appId),
      failingSince: failingSince && toWireDate(failingSince),
      suspendedAt: suspendedAt && toWireDate(suspendedAt),
    })),
  };
}

function toWirePlatform(provider: Provider): 'ios' | 'android' {
  return provider === 'apns' ? 'ios' : 'android';
}
