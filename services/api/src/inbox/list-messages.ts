import { listInboxMessages, type InboxSummary } from '@heliograph/db';

import { getAppRefs } from './get-app-refs.ts';
import type { InboxDeps } from './inbox-deps.ts';

/** Whose messages, and of which apps. */
export interface InboxQuery {
  readonly userId: string;
  readonly applications: readonly string[];
  readonly onlyUnread: boolean;
  /** Counted from 0. */
  readonly page: number;
  readonly size: number;
}

/** A page of what any of the apps shows the user, the newest first. Refuses an app that does not exist, and one that is named twice. */
export async function listMessages(
  { db }: Pick<InboxDeps, 'db'>,
  { userId, applications, onlyUnread, page, size }: InboxQuery,
): Promise<readonly InboxSummary[]> {
  const appRefs = await getAppRefs(db, applications);
  const filter = { userId, appRefs, onlyUnread };
  return listInboxMessages(db, filter, { offset: page * size, limit: size });
}
