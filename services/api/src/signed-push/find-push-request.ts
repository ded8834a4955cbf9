import { isUuid } from '@heliograph/core';
import { findM800Request, type Db } from '@heliograph/db';

import { findMessageStatus, type MessageStatus } from '../messages/find-message-status.ts';

/** What became of an accepted push. */
export interface PushRequest {
  readonly requestId: string;
  readonly createdAt: Date;
  readonly userId: string;
  readonly carrier: string;
  readonly read: boolean;
  /** Undefined where nothing was pushed. */
  readonly push: MessageStatus | undefined;
}

/** The request with this id, where this developer key made it. */
export async function findPushRequest(
  deps: { readonly db: Db },
  developerKeyRef: number,
  requestId: string,
): Promise<PushRequest | undefined> {
  if (!isUuid(requestId)) return undefined;
  const request = await findM800Request(deps.db, developerKeyRef, requestId.toLowerCase());
  if (request === undefined) return undefined;
  const { id, createdAt, userId, carrier, pushed, readAt } = request;
  const push = pushed ? await findMessageStatus(deps, id) : undefined;
  return { requestId: id, createdAt, userId, carrier, read: readAt !== null, push };
}
