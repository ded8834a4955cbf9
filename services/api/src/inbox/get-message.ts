import { isUuid, Refusal } from '@heliograph/core';
import { findInboxMessage, type StoredInboxMessage } from '@heliograph/db';

import type { InboxDeps } from './inbox-deps.ts';

/** Refuses an id that is no message's. Whose message it is, is not asked. */
export async function getMessage(
  { db }: Pick<InboxDeps, 'db'>,
  id: string,
): Promise<StoredInboxMessage> {
  return refuseMissing(isUuid(id) ? await findInboxMessage(db, id) : undefined);
}

export function refuseMissing(message: StoredInboxMessage | undefined): StoredInboxMessage {
  if (message === undefined) throw new Refusal('unknown_message', 'There is no such message.');
  return message;
}
