import {
  compareWithTaken,
  findTakenCampaigns,
  takeCampaignUsers,
  type ImportedCampaignUser,
  type PowerAuthCampaignUser,
  type PowerAuthSource,
} from '@heliograph/db';

import { toCounts, type Finding } from './report.ts';
import { toRange, toTaken } from './source-pages.ts';
import type { Page, Step } from './step.ts';

const PAGE_ROWS = 5_000;

export function createCampaignUsersStep({ source }: { readonly source: PowerAuthSource }): Step {
  return {
    name: 'campaign users',
    count: () => source.count('campaignUsers'),
    async read(cursor) {
      const after = Number(cursor ?? 0);
      return toPage(await source.listCampaignUsers({ after, limit: PAGE_ROWS }), after);
    },
  };
}

function toPage(rows: readonly PowerAuthCampaignUser[], after: number): Page {
  const range = toRange(rows, after, PAGE_ROWS);
  const complete = rows.flatMap(toUser);
  const read: readonly Finding[] = [
    { kind: 'campaign users', counted: 'read', count: rows.length },
    ...rows
      .filter((row) => toUser(row).length === 0)
      .map((row) => toSkipped(row, 'without a user or a campaign')),
  ];
  return {
    rows: rows.length,
    next: range.upTo === null ? null : String(range.upTo),
    async take(tx, importRef) {
      const sourceIds = [...new Set(complete.map(({ campaignId }) => campaignId))];
      const taken = await findTakenCampaigns(tx, importRef, sourceIds);
      const users = complete.filter(({ campaignId }) => taken.has(campaignId));
      return [
        ...read,
        ...complete
          .filter(({ campaignId }) => !taken.has(campaignId))
          .map((row) => toSkipped(row, 'of campaigns that are not there, or could not be taken')),
        ...toCounts('campaign users', await takeCampaignUsers(tx, importRef, range, users)),
      ];
    },
    async compare(db, importRef) {
      const compared = await compareWithTaken(db, 'imported_campaign_users', importRef, complete);
      return [...read, ...toCounts('campaign users', toTaken(compared))];
    },
  };
}

function toUser({ sourceId, campaignId, userId }: PowerAuthCampaignUser): ImportedCampaignUser[] {
  return campaignId === null || userId === null ? [] : [{ sourceId, campaignId, userId }];
}

function toSkipped({ sourceId }: { readonly sourceId: number }, skipped: string): Finding {
  return { kind: 'campaign users', skipped, row: String(sourceId) };
}
