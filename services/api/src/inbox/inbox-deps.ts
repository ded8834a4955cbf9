import type { Db } from '@heliograph/db';

import type { InboxWatcher } from './inbox-watcher.ts';

/** What the inbox verbs work with. */
export interface InboxDeps {
  readonly db: Db;
  readonly inboxWatcher: InboxWatcher;
  /** Tells every api that these users have a message, once it is committed. May get lost: their streams find it a little later. */
  readonly announceInbox: (userIds: readonly string[]) => void;
}
