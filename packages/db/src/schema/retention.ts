import type { Provider } from '@heliograph/core';
import type { Generated } from 'kysely';

export interface RetentionTables {
  staleChecks: StaleChecksTable;
  retentionRounds: RetentionRoundsTable;
  userErasures: UserErasuresTable;
}

interface StaleChecksTable {
  appRef: number;
  provider: Provider;
  checkedAt: Generated<Date>;
  devices: number;
  stale: number;
  staleBefore: Date;
  heldSince: Date | null;
  heldBecause: 'too_many' | 'no_registrations' | null;
  approvedBefore: Date | null;
  settledAt: Date | null;
}

interface RetentionRoundsTable {
  onlyRow: Generated<boolean>;
  beganAt: Generated<Date>;
}

interface UserErasuresTable {
  id: string;
  appRef: number | null;
  userId: string | null;
  deviceIds: Generated<string[]>;
  requestedAt: Generated<Date>;
  erasedAt: Date | null;
  finishedAt: Date | null;
  devices: Generated<number>;
  messages: Generated<number>;
  skipped: Generated<number>;
  inboxMessages: Generated<number>;
  campaigns: Generated<number>;
  campaignDeliveries: Generated<number>;
}
