import { Refusal } from '@heliograph/core';
import { findCampaignUserPosition, listCampaignUsers } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';

export interface UsersPage {
  readonly page: number;
  readonly size: number;
  /** Pages are counted from behind this user; undefined: from the first one. */
  readonly afterUserId?: string | undefined;
}

/**
 * One page of the users, in the order in which they were added; empty past the end, and for a campaign that does not exist. Refuses to begin
 * behind somebody whom the campaign does not have.
 */
export async function listUsers(
  { db }: Pick<CampaignDeps, 'db'>,
  campaignId: number,
  { page, size, afterUserId }: UsersPage,
): Promise<readonly string[]> {
  const after =
    afterUserId === undefined ? undefined : await getPosition(db, campaignId, afterUserId);
  return listCampaignUsers(db, campaignId, { after, offset: page * size, limit: size });
}

async function getPosition(
  db: CampaignDeps['db'],
  campaignId: number,
  userId: string,
): Promise<number> {
  const position = await findCampaignUserPosition(db, campaignId, userId);
  if (position !== undefined) return position;
  throw new Refusal('invalid_request', 'afterUserId is no user of the campaign.');
}
