import { Refusal, type Provider } from '@heliograph/core';
import { approveHeldStale, listHeldStale, listPrunings, type Db } from '@heliograph/db';

import { isOwn } from '../../access/caller.ts';
import { FILTERED, ofApp, ofAppIfNamed } from '../../access/subject.ts';
import { getAppRef } from '../../devices/device-deps.ts';
import { restoreDevices } from '../../devices/restore-devices.ts';
import { route, type Route } from '../../http/endpoint.ts';
import { parseInstant, toWireDate } from '../../http/instant.ts';
import { toProvider, toWireAppId } from './fields.ts';
import {
  APPROVE_HELD_STALE,
  LIST_HELD_STALE,
  LIST_PRUNINGS,
  RESTORE_DEVICES,
} from './pruning-endpoints.ts';

const MAX_PRUNINGS = 1000;
const DEFAULT_SPAN_MS = 30 * 24 * 3_600_000;

/** What was taken out of the registry without being asked for, and how it comes back. */
export function pruningRoutes(deps: {
  readonly db: Db;
  readonly now: () => Date;
}): readonly Route[] {
  const { db } = deps;
  return [
    route(LIST_PRUNINGS, ofAppIfNamed(), async ({ appId, since, by = 'day' }, { caller }) => {
      const found = await listPrunings(db, {
        appRef: appId === undefined ? caller.app?.ref : await getAppRef(db, appId),
        since: toInstant(since) ?? new Date(deps.now().getTime() - DEFAULT_SPAN_MS),
        by,
        limit: MAX_PRUNINGS,
      });
      return { pruningList: found.map(toWire) };
    }),

    route(
      RESTORE_DEVICES,
      ofApp(),
      async ({ appId, platform, reason, dryRun = false, ...window }) => {
        const pruned = {
          appRef: await getAppRef(db, appId),
          provider: platform === undefined ? undefined : toProvider(platform),
          reason,
          since: toInstant(window.since) ?? new Date(0),
          until: toInstant(window.until),
        };
        return { ...(await restoreDevices(deps, pruned, dryRun)), dryRun };
      },
    ),

    route(LIST_HELD_STALE, FILTERED, async (_, { caller }) => {
      const own = (await listHeldStale(db)).filter(({ appId }) => isOwn(caller, appId));
      return {
        heldList: own.flatMap(({ reason, since, checkedAt, ...held }) =>
          reason === null || since === null
            ? []
            : [{ ...toWire({ ...held, since }), reason, checkedAt: toWireDate(checkedAt) }],
        ),
      };
    }),

    route(APPROVE_HELD_STALE, ofApp(), async ({ appId, provider }) => {
      const appRef = await getAppRef(db, appId);
      const devices = await approveHeldStale(db, appRef, toProvider(provider));
      if (devices === undefined)
        throw new Refusal('invalid_request', 'Nothing of it is held, or it was approved already.');
      return { devices };
    }),
  ];
}

function toWire<
  T extends { readonly appId: string; readonly provider: Provider; readonly since: Date },
>({ appId, provider, since, ...rest }: T) {
  return {
    ...rest,
    appId: toWireAppId(appId),
    platform: provider === 'apns' ? ('ios' as const) : ('android' as const),
    since: toWireDate(since),
  };
}

function toInstant(value: string | number | undefined): Date | undefined {
  return value === undefined ? undefined : parseInstant(value);
}
