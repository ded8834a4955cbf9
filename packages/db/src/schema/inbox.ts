export interface InboxTables {
  inboxUsers: InboxUsersTable;
  inboxMessages: InboxMessagesTable;
}

export const INBOX_TYPES = ['text', 'html'] as const;
export type InboxType = (typeof INBOX_TYPES)[number];

interface InboxUsersTable {
  userId: string;
  lastSequence: number;
}

interface InboxMessagesTable {
  id: string;
  userId: string;
  sequence: number;
  /** As texts: the driver leaves the numbers of arrays alone. */
  appRefs: string[];
  type: InboxType;
  subject: string;
  summary: string;
  body: string;
  sender: string | null;
  createdAt: Date;
  readAt: Date | null;
}
