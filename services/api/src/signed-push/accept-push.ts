import { createMessageId, toExpiresAt } from '@heliograph/core';
import {
  insertM800Push,
  type Db,
  type NewInboxMessage,
  type SigningKey,
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
  readonly acceptor: Pick<MessageAcceptor, 'isHeard' | 'announce'>;
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
  | { readonly kind: 'nonce_used' }
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
  const { key, nonce, userId, carrier } = push;
  const messages = toMessages(deps, push, requestId, now);
  const asked = {
    id: requestId,
    developerKeyRef: key.id,
    nonce,
    appRef: key.appRef,
    userId,
    carrier,
    messages,
    isHeard: deps.acceptor.isHeard(messages),
    inboxMessage: toInboxMessage(push, requestId),
  };
  // By itself the statement would be committed even where we died while it ran, and its sender would be refused when it asks again.
  const stored = await deps.db.transaction().execute((tx) => insertM800Push(tx, asked));
  if (stored.kind !== 'stored') return stored;
  deps.acceptor.announce(stored.deliveries);
  deps.announceInbox([userId]);
  return { kind: 'accepted', requestId };
}

function toInboxMessage({ key, userId, content, sender }: SignedPush, id: string): NewInboxMessage {
  return {
    id,
    userId,
    appRefs: [key.appRef],
    type: 'text',
    subject: toPrefix(sender ?? key.appName ?? key.appId, SUMMARY_LENGTH),
    summary: toPrefix(content, SUMMARY_LENGTH),
    body: content,
    sender,
  };
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
