import { countUnreadInboxMessages } from '@heliograph/db';

import { getAppRef } from './get-app-refs.ts';
import type { InboxDeps } from './inbox-deps.ts';

/** How many messages the user has not read in the app. Refuses an app that does not exist. */
export async function countUnread(
  { db }: Pick<InboxDeps, 'db'>,
  { userId, appId }: { readonly userId: string; readonly appId: string },
): Promise<number> {
  return countUnreadInboxMessages(db, userId, await getAppRef(db, appId));
}
