import {
  compareWithTaken,
  reserveCampaignIds,
  takeCampaigns,
  type ImportedCampaign,
  type PowerAuthCampaign,
  type PowerAuthSource,
} from '@heliograph/db';

import { createAppRefs, type AppRefs } from './app-refs.ts';
import { parseCampaignMessage } from './campaign-message.ts';
import { toFingerprint } from './fingerprint.ts';
import { toCounts, type Finding } from './report.ts';
import { toRange, toTaken } from './source-pages.ts';
import type { Page, Step } from './step.ts';

const PAGE_ROWS = 500;

type Campaign = Omit<ImportedCampaign, 'appRef'> & { readonly appId: string };

export function createCampaignsStep({ source }: { readonly source: PowerAuthSource }): Step {
  const appRefs = createAppRefs();
  return {
    name: 'campaigns',
    count: () => source.count('campaigns'),
    // So that no campaign that is made here from now on takes the number of one that is to come.
    begin: async (db) => reserveCampaignIds(db, await source.findHighestCampaignId()),
    async read(cursor) {
      const after = Number(cursor ?? 0);
      return toPage(await source.listCampaigns({ after, limit: PAGE_ROWS }), after, appRefs);
    },
  };
}

function toPage(rows: readonly PowerAuthCampaign[], after: number, appRefs: AppRefs): Page {
  const { campaigns, findings } = toCampaigns(rows);
  const range = toRange(rows, after, PAGE_ROWS);
  return {
    rows: rows.length,
    next: range.upTo === null ? null : String(range.upTo),
    async take(tx, importRef) {
      const apps = await appRefs(
        tx,
        campaigns.map(({ appId }) => appId),
      );
      const { taken, renumbered } = await takeCampaigns(
        tx,
        importRef,
        range,
        campaigns.map(({ appId, ...campaign }) => ({
          ...campaign,
          appRef: apps.refs.get(appId) ?? 0,
        })),
      );
      return [
        ...findings,
        ...apps.findings,
        ...toCounts('campaigns', taken),
        ...renumbered.map(({ sourceId, campaignId }): Finding => {
          const row = `${sourceId} is ${campaignId}`;
          return { kind: 'campaigns', remark: 'with another number, theirs was taken here', row };
        }),
      ];
    },
    async compare(db, importRef) {
      const compared = await compareWithTaken(db, 'imported_campaigns', importRef, campaigns);
      return [...findings, ...toCounts('campaigns', toTaken(compared))];
    },
  };
}

function toCampaigns(rows: readonly PowerAuthCampaign[]): {
  readonly campaigns: readonly Campaign[];
  readonly findings: readonly Finding[];
} {
  const campaigns: Campaign[] = [];
  const findings: Finding[] = [{ kind: 'campaigns', counted: 'read', count: rows.length }];
  for (const campaign of rows) {
    const { sourceId, appId, sent, createdAt, sentAt, completedAt } = campaign;
    const row = String(sourceId);
    const message = parseCampaignMessage(campaign.message ?? '');
    if (appId === null) {
      findings.push({ kind: 'campaigns', skipped: 'their app is not there', row });
      continue;
    }
    if (message === undefined) {
      findings.push({ kind: 'campaigns', skipped: 'with a message that cannot be read', row });
      continue;
    }
    if (sentAt !== null && sent !== true)
      findings.push({ kind: 'campaigns', remark: 'being sent when they were read', row });
    const facts = { message, sent: sent ?? false, createdAt, sentAt, completedAt };
    const fingerprint = toFingerprint([appId, facts]);
    campaigns.push({ sourceId, appId, ...facts, fingerprint });
  }
  return { campaigns, findings };
}
