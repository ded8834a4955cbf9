import type { Db } from '@heliograph/db';
import type { FcmMapping } from '@heliograph/providers/payload';

import type { SendAnswer, SendRequest } from '../messages/send-messages.ts';

/** What the campaign verbs work with. */
export interface CampaignDeps {
  readonly db: Db;
  readonly messages: { send(request: SendRequest): Promise<SendAnswer> };
  /** How the dispatchers map messages for FCM: it decides their size. */
  readonly fcm: FcmMapping;
  readonly now: () => Date;
}
