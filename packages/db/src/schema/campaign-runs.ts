import type { DeliveryState, Provider, RunReason, RunState } from '@heliograph/core';
import type { ColumnType, Generated } from 'kysely';

import type { CampaignMessage } from './campaigns.ts';
import type { AttemptRecord } from './messages.ts';

export interface CampaignRunTables {
  campaignRuns: CampaignRunsTable;
  campaignChunks: CampaignChunksTable;
  campaignExceptions: CampaignExceptionsTable;
  campaignRunCounts: CampaignRunCountsTable;
  campaignRunTimeline: CampaignRunTimelineTable;
  campaignRunExclusions: CampaignRunExclusionsTable;
  campaignMovedTokens: CampaignMovedTokensTable;
}

interface CampaignRunsTable {
  id: string;
  campaignId: number;
  appRef: number;
  message: ColumnType<CampaignMessage, string, never>;
  validUntil: Date | null;
  state: RunState;
  reason: RunReason | null;
  dryRun: boolean;
  ratePerSecond: number | null;
  canaryPercent: number | null;
  maxFailurePercent: number | null;
  createdAt: Generated<Date>;
  startAt: Date;
  startedAt: Date | null;
  materialisedAt: Date | null;
  approvedAt: Date | null;
  finishedAt: Date | null;
  devicesPurgedAt: Generated<Date | null>;
  replayUntil: Generated<Date | null>;
  judgedSent: Generated<number>;
  judgedFailed: Generated<number>;
  lastDeviceId: number | null;
  lastUserPosition: number | null;
  fewUsers: boolean | null;
  deviceCursor: Generated<number>;
  nextChunk: Generated<number>;
  users: Generated<number>;
  usersWithoutDevice: Generated<number>;
  usersCountedAt: Date | null;
  measuredRate: Generated<number>;
  measuredFinal: Generated<number>;
  measuredAt: Date | null;
  traceParent: string | null;
}

interface CampaignChunksTable {
  runId: string;
  ordinal: number;
  provider: Provider;
  firstDeviceId: number;
  lastDeviceId: number;
  /** As texts: the driver leaves the numbers of arrays alone. */
  deviceIds: string[];
  tokenHashes: Buffer;
  userHashes: string[];
  outcomes: Buffer;
  canary: Generated<boolean>;
  dueAt: Date | null;
  leased: Generated<boolean>;
  pauseId: number | null;
  leaseEpoch: Generated<number>;
  checkpoint: Generated<number>;
  expiresAt: Date | null;
  replayExpiresAt: Generated<Date | null>;
}

interface CampaignExceptionsTable {
  runId: string;
  ordinal: number;
  deviceId: number;
  userId: string | null;
  provider: Provider;
  state: DeliveryState;
  reason: string | null;
  attempts: number;
  ambiguousAttempts: number;
  nextAttemptAt: Date | null;
  providerMessageId: string | null;
  finishedAt: Date | null;
  history: ColumnType<readonly AttemptRecord[] | null, string | null, string | null>;
}

interface CampaignRunCountsTable {
  runId: string;
  provider: Provider;
  code: number;
  shard: number;
  count: number;
}

interface CampaignRunTimelineTable {
  runId: string;
  at: Date;
  shard: number;
  sent: number;
  failed: number;
  expired: number;
  skipped: number;
}

interface CampaignRunExclusionsTable {
  runId: string;
  provider: Provider;
  reason: string;
  count: number;
}

interface CampaignMovedTokensTable {
  runId: string;
  provider: Provider;
  pushTokenHash: Buffer;
  deviceId: number;
}
