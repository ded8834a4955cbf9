import { isUuid } from '@heliograph/core';
import { readInboxMessage, type StoredInboxMessage } from '@heliograph/db';

import { refuseMissing } from './get-message.ts';
import type { InboxDeps } from './inbox-deps.ts';

/** Marks a message as read, once: later calls change nothing. Refuses an id that is no message's. */
export async function readMessage(
  { db }: Pick<InboxDeps, 'db'>,
  id: string,
): Promise<StoredInboxMessage> {
  return refuseMissing(isUuid(id) ? await readInboxMessage(db, id) : undefined);
}
