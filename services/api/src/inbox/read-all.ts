import { readAllInboxMessages } from '@heliograph/db';

import { getAppRef } from './get-app-refs.ts';
import type { InboxDeps } from './inbox-deps.ts';

/** Marks as read what the user has not read in the app. Refuses an app that does not exist. */
export async function readAll(
  { db }: Pick<InboxDeps, 'db'>,
  { userId, appId }: { readonly userId: string; readonly appId: string },
): Promise<void> {
  await readAllInboxMessages(db, userId, await getAppRef(db, appId));
}
