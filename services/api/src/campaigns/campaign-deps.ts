import type { Db } from '@heliograph/db';
import type { FcmMapping } from '@heliograph/providers/payload';
import type { CampaignLane } from '@heliograph/queue';

import type { SendAnswer, SendRequest } from '../messages/send-messages.ts';
import type { RunWatcher } from './run-watcher.ts';

/** What the campaign verbs work with. */
export interface CampaignDeps {
  readonly db: Db;
  readonly messages: { send(request: SendRequest): Promise<SendAnswer> };
  readonly campaignLane: Pick<CampaignLane, 'announce'>;
  readonly runWatcher: RunWatcher;
  /** How long a live send waits for the end of its run, ms. */
  readonly syncWaitMs: number;
  /** Aborted when the process is about to end: nobody waits any longer. */
  readonly draining: AbortSignal;
  /** How the dispatchers map messages for FCM: it decides their size. */
  readonly fcm: FcmMapping;
  readonly now: () => Date;
}
