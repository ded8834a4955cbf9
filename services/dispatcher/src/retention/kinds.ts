import {
  purgeDays,
  purgeFailureCounts,
  purgeInbox,
  purgeMessages,
  purgeMovedTokens,
  purgeRunDevices,
  purgeRuns,
  purgeTokenFaults,
  type Db,
  type Purged,
} from '@heliograph/db';

/** How many days each kind of data is kept; 0: for ever. */
export interface RetentionDays {
  /** Messages with their deliveries, and signed requests. */
  readonly messages: number;
  /** What became of the single devices of a campaign's run. */
  readonly campaignDevices: number;
  /** Runs with their sums. */
  readonly campaignRuns: number;
  /** Messages of inboxes. */
  readonly inbox: number;
  /** Entries of the audit log. */
  readonly audit: number;
}

export const RETENTION_DAYS: RetentionDays = {
  messages: 90,
  campaignDevices: 90,
  campaignRuns: 730,
  inbox: 365,
  audit: 730,
};

/** Settled ones say nothing more to the guard; this long an operator may want to know. */
const TOKEN_FAULT_DAYS = 30;

/** A kind of data that has an end. */
export interface RetentionKind {
  readonly name: string;
  /** 0: it is kept for ever. */
  readonly days: number;
  /** Forgets what is older than `before`: whole partitions, and at most about `limit` single rows. */
  readonly purge: (db: Db, before: Date, limit: number) => Promise<Purged>;
}

/** All of them. A table with an end of its own gets a line here. */
export function toRetentionKinds(days: RetentionDays): readonly RetentionKind[] {
  return [
    { name: 'messages', days: days.messages, purge: purgeMessages },
    {
      name: 'signed requests',
      days: days.messages,
      purge: (db, before, limit) => purgeDays(db, 'm800_requests', before, limit),
    },
    { name: 'counts of failures', days: days.messages, purge: purgeFailureCounts },
    { name: 'devices of campaign runs', days: days.campaignDevices, purge: purgeRunDevices },
    { name: 'campaign runs', days: days.campaignRuns, purge: purgeRuns },
    { name: 'messages of inboxes', days: days.inbox, purge: purgeInbox },
    {
      name: 'the audit log',
      days: days.audit,
      purge: (db, before, limit) => purgeDays(db, 'audit_log', before, limit),
    },
    { name: 'token faults', days: TOKEN_FAULT_DAYS, purge: purgeTokenFaults },
    {
      name: 'moved push tokens',
      days: 1,
      purge: (db, _before, limit) => purgeMovedTokens(db, limit),
    },
  ];
}
