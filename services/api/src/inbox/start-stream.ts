import { findLastInboxSequence } from '@heliograph/db';

import { getAppRefs } from './get-app-refs.ts';
import type { InboxDeps } from './inbox-deps.ts';
import type { InboxStart } from './inbox-watcher.ts';

/** Whose messages, of which apps, after which one. */
export interface StreamRequest {
  readonly userId: string;
  readonly applications: readonly string[];
  /** Absent: only what comes from now on. */
  readonly lastEventId?: number | undefined;
}

/** Where a stream begins. Refuses apps that do not exist or are named twice. */
export async function startStream(
  { db }: Pick<InboxDeps, 'db'>,
  { userId, applications, lastEventId }: StreamRequest,
): Promise<InboxStart> {
  const appRefs = await getAppRefs(db, applications);
  const last = await findLastInboxSequence(db, userId);
  // A number from the future is of a database that was since restored to an earlier day: whoever waited for it would miss all before.
  return { userId, appRefs, after: Math.min(lastEventId ?? last, last) };
}
