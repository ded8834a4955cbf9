import { addUsersOfDevices } from '@heliograph/db';

import type { CampaignDeps } from './campaign-deps.ts';
import { noSuchCampaign } from './get-campaign.ts';

export interface AddAllAnswer {
  readonly added: number;
  /** There was no time for all of them: ask again with `next`. */
  readonly more: boolean;
  readonly next: number | null;
}

const DEVICES_AT_ONCE = 20_000;
/** A request does as much as it gets done in that time. */
const WITHIN_MS = 15_000;

/**
 * Adds every user who has a device of the campaign's app now, page by page of its devices, from behind the device `after`. Who is in
 * the campaign already stays in it once, so a request may be repeated. Refuses a campaign that does not exist.
 */
export async function addAllUsers(
  { db }: Pick<CampaignDeps, 'db'>,
  campaignId: number,
  after: number,
): Promise<AddAllAnswer> {
  const startedAt = performance.now();
  let [added, at] = [0, after];
  for (;;) {
    const step = await addUsersOfDevices(db, campaignId, at, DEVICES_AT_ONCE);
    if (step === undefined) throw noSuchCampaign();
    added += step.added;
    if (step.lastDeviceId === null) return { added, more: false, next: null };
    at = step.lastDeviceId;
    if (performance.now() - startedAt > WITHIN_MS) return { added, more: true, next: at };
  }
}
