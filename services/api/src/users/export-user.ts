import {
  readRunDeliveries,
  readUserActivations,
  readUserCampaigns,
  readUserDevices,
  readUserInbox,
  readUserMessages,
  readUserPlaces,
  type Db,
  type Pages,
  type UserScope,
} from '@heliograph/db';

import { toRunDevice } from '../deliveries/device-delivery.ts';
import { getAppRef } from '../devices/device-deps.ts';

/** The lists of an export, in their order, each in pages. */
export type UserExport = ReadonlyMap<string, Pages>;

/** All that is kept about a user, in one app or everywhere. Nothing is read before it is asked for. Refuses an app that does not exist. */
export async function exportUser(
  { db }: { readonly db: Db },
  { userId, appId }: { readonly userId: string; readonly appId?: string | undefined },
): Promise<UserExport> {
  const appRef = appId === undefined ? undefined : await getAppRef(db, appId);
  const scope: UserScope = { userId, appRef };
  return new Map([
    ['devices', readUserDevices(db, scope)],
    ['activations', readUserActivations(db, scope)],
    ['messages', readUserMessages(db, scope)],
    ['inbox', readUserInbox(db, scope)],
    ['campaigns', readUserCampaigns(db, scope)],
    ['campaignDeliveries', readCampaignDeliveries(db, scope)],
  ]);
}

const PLACES_AT_ONCE = 500;

async function* readCampaignDeliveries(db: Db, scope: UserScope): Pages {
  for await (const places of readUserPlaces(db, scope))
    for (let from = 0; from < places.length; from += PLACES_AT_ONCE) {
      const rows = await readRunDeliveries(db, places.slice(from, from + PLACES_AT_ONCE));
      yield rows.map((row) => {
        const { campaignId, runId, appId, createdAt } = row;
        return { appId, campaignId, runId, createdAt, ...toRunDevice(row) };
      });
    }
}
