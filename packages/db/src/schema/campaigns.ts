import type { MessageBody } from '@heliograph/core';
import type { ColumnType, Generated, GeneratedAlways } from 'kysely';

export interface CampaignTables {
  campaigns: CampaignsTable;
  campaignUsers: CampaignUsersTable;
}

/** What a campaign says, and until when it is worth sending. */
export interface CampaignMessage extends MessageBody {
  /** ISO instant. */
  readonly validUntil?: string;
}

interface CampaignsTable {
  id: Generated<number>;
  appRef: number;
  message: ColumnType<CampaignMessage, string, never>;
  sent: Generated<boolean>;
  createdAt: Generated<Date>;
  sentAt: Generated<Date | null>;
  completedAt: Generated<Date | null>;
}

interface CampaignUsersTable {
  campaignId: number;
  userId: string;
  position: GeneratedAlways<number>;
}
