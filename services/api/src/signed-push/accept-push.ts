import { createMessageId, toExpiresAt } from '@heliograph/core';
import {
  insertInboxMessage,
  insertM800Request,
  isKnownReceiver,
  useNonce,
  type Db,
  type SigningKey,
  type StoredDelivery,
  type StoredMessage,
} from '@heliograph/db';
import type { FcmMapping } from '@heliograph/providers/payload';

import type { MessageAcceptor } from '../messages/accept-messages.ts';
import { refuseOversized } from '../messages/refuse-oversized.ts';
import { toPrefix } from './text-prefix.ts';

export interface AcceptPushDeps {
  readonly db: Db;
  readonly fcm: FcmMapping;
  readonly now: () => Date;
  readonly acceptor: Pick<MessageAcceptor, 'storeIn' | 'announce'>;
  /** Tells those who watch these users' inboxes. */
  readonly announceInbox: (userIds: readonly string[]) => void;
}

/** A push whose signature was found right. */
export interface SignedPush {
  readonly key: Omit<SigningKey, 'secrets'>;
  readonly nonce: string;
  readonly userId: string;
  readonly carrier: string;
  /** For the inbox. */
  readonly content: string;
  /** For the devices; undefined: nothing is pushed. */
  readonly pushContent: string | undefined;
  /** Whom the user is to see as the sender. */
  readonly sender: string | undefined;
}

export type PushAnswer =
  | { readonly kind: 'accepted'; readonly requestId: string }
  /** The nonce was used. */
  | { readonly kind: 'replayed' }
  | { readonly kind: 'unknown_receiver' };

/** Lists show so much of a message, in code points. */
const SUMMARY_LENGTH = 255;

/**
 * Accepts a push: when this resolves with `accepted`, the message stands in the inbox, and what is to be pushed will be, whatever dies.
 * All of it and the used nonce are one transaction, so a request that was not accepted may be repeated as it is. Refuses a push that is
 * over a provider's limit.
 */
export async function acceptPush(deps: AcceptPushDeps, push: SignedPush): Promise<PushAnswer> {
  const now = deps.now();
  const requestId = createMessageId(now.getTime());
  const messages = toMessages(deps, push, requestId, now);
  if (!(await isKnownReceiver(deps.db, push.key.appRef, push.userId)))
    return { kind: 'unknown_receiver' };

  const deliveries = await deps.db.transaction().execute(async (tx) => {
    const isNew = await useNonce(tx, {
      developerKeyRef: push.key.id,
      nonce: push.nonce,
      requestId,
    });
    return isNew ? store(deps, tx, push, requestId, messages) : undefined;
  });
  if (deliveries === undefined) return { kind: 'replayed' };
  deps.acceptor.announce(deliveries);
  deps.announceInbox([push.userId]);
  return { kind: 'accepted', requestId };
}

async function store(
  { acceptor }: AcceptPushDeps,
  tx: Db,
  push: SignedPush,
  requestId: string,
  messages: readonly StoredMessage[],
): Promise<readonly StoredDelivery[]> {
  const { key, userId, carrier, content, sender } = push;
  const pushed = messages.length > 0;
  await insertM800Request(tx, { id: requestId, developerKeyRef: key.id, userId, carrier, pushed });
  const deliveries = pushed ? await acceptor.storeIn(tx, messages) : [];
  // Last, since others with a message for the same user wait from here on.
  await insertInboxMessage(tx, {
    id: requestId,
    userId,
    appRefs: [key.appRef],
    type: 'text',
    subject: toPrefix(sender ?? key.appName ?? key.appId, SUMMARY_LENGTH),
    summary: toPrefix(content, SUMMARY_LENGTH),
    body: content,
    sender,
  });
  return deliveries;
}

/** The message for the devices, if there is to be one. */
function toMessages(
  deps: AcceptPushDeps,
  { key, userId, pushContent, sender }: SignedPush,
  id: string,
  now: Date,
): readonly StoredMessage[] {
  if (pushContent === undefined) return [];
  const body = { body: pushContent, ...(sender === undefined ? {} : { extras: { sender } }) };
  const message = {
    id,
    appRef: key.appRef,
    userId,
    activationId: undefined,
    silent: false,
    personal: false,
    priority: 'HIGH' as const,
    awaited: false,
    expiresAt: toExpiresAt(undefined, false, now),
    developerKeyRef: key.id,
  };
  refuseOversized({ ...message, body }, key.routes, deps.fcm);
  return [{ ...message, body: JSON.stringify(body) }];
}
