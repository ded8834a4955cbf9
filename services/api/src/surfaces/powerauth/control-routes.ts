import { Refusal, type Provider } from '@heliograph/core';
import { decideHeldFaults, liftPause, listHeldFaults, listPauses, type Db } from '@heliograph/db';

import { isOwn } from '../../access/caller.ts';
import { FILTERED, OF_PAUSE, ofApp } from '../../access/subject.ts';
import { getAppRef } from '../../devices/device-deps.ts';
import { restoreDevice } from '../../devices/restore-device.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { toWireDate } from '../../http/instant.ts';
import {
  APPLY_HELD_FAULTS,
  DISCARD_HELD_FAULTS,
  LIST_HELD_FAULTS,
  LIST_PAUSES,
  RESTORE_DEVICE,
  RESUME_PAUSE,
} from './control-endpoints.ts';
import { toProvider, toWireAppId } from './fields.ts';

/** What an operator sees and decides: pauses, the guard, deactivated tokens. */
export function controlRoutes(deps: { readonly db: Db }): readonly Route[] {
  const decide = async (
    scope: { readonly appId: string; readonly provider: string },
    decision: 'apply' | 'discard',
  ) => {
    const appRef = await getAppRef(deps.db, scope.appId);
    const provider = toProvider(scope.provider);
    return { settled: await decideHeldFaults(deps.db, { appRef, provider, decision }) };
  };
  return [
    route(LIST_PAUSES, FILTERED, async (_, { caller }) => {
      const pauses = await listPauses(deps.db);
      const own = pauses.filter(({ appId }) => isOwn(caller, appId));
      return {
        pauseList: own.map(toWirePause),
      };
    }),

    route(RESUME_PAUSE, OF_PAUSE, async ({ id }) => {
      if (!(await liftPause(deps.db, id)))
        throw new Refusal('invalid_request', 'There is no such pause, or it is over already.');
    }),

    route(LIST_HELD_FAULTS, FILTERED, async (_, { caller }) => {
      const faults = await listHeldFaults(deps.db);
      const own = faults.filter(({ appId }) => isOwn(caller, appId));
      return {
        heldList: own.map(({ appId, provider, since, ...held }) => ({
          ...held,
          appId: toWireAppId(appId),
          platform: toWirePlatform(provider),
          since: toWireDate(since),
        })),
      };
    }),

    route(APPLY_HELD_FAULTS, ofApp(), (scope) => decide(scope, 'apply')),

    route(DISCARD_HELD_FAULTS, ofApp(), (scope) => decide(scope, 'discard')),

    route(RESTORE_DEVICE, ofApp(), async ({ appId, token }) => ({
      restored: await restoreDevice(deps, { appId, pushToken: token }),
    })),
  ];
}

type ActivePause = Awaited<ReturnType<typeof listPauses>>[number];

export function toWirePause({ appId, provider, since, probeAt, ...pause }: ActivePause) {
  return {
    ...pause,
    appId: toWireAppId(appId),
    platform: toWirePlatform(provider),
    since: toWireDate(since),
    probeAt: probeAt === null ? null : toWireDate(probeAt),
  };
}

function toWirePlatform(provider: Provider): 'ios' | 'android' {
  return provider === 'apns' ? 'ios' : 'android';
}
