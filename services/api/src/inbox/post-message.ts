import { randomUUID } from 'node:crypto';

import { Refusal } from '@heliograph/core';
import {
  claimIdempotencyKey,
  findIdempotencyEntry,
  insertInboxMessage,
  type IdempotencyEntry,
  type NewInboxMessage,
  type StoredInboxMessage,
} from '@heliograph/db';

import type { IdempotentRequest } from '../messages/accept-once.ts';
import { getAppRefs } from './get-app-refs.ts';
import { getMessage } from './get-message.ts';
import type { InboxDeps } from './inbox-deps.ts';

export interface PostedMessage extends Omit<NewInboxMessage, 'id' | 'appRefs'> {
  /** By their own ids. */
  readonly applications: readonly string[];
}

export interface PostAnswer {
  readonly message: StoredInboxMessage;
  /** Whether an earlier request with the same key had stored it. */
  readonly replayed: boolean;
}

/**
 * Stores a message in the user's inbox, and tells those who watch it; nothing is pushed. Refuses apps that do not exist or are named
 * twice, and a key that was used with another body.
 */
export async function postMessage(
  deps: InboxDeps,
  posted: PostedMessage,
  request: IdempotentRequest | undefined,
): Promise<PostAnswer> {
  if (request !== undefined) return postOnce(deps, posted, request);
  const message = await insertInboxMessage(deps.db, await toNewMessage(deps, posted));
  deps.announceInbox([message.userId]);
  return { message, replayed: false };
}

/** The key is written in the message's transaction: a second request with it waits there until the first is committed or failed. */
async function postOnce(
  deps: InboxDeps,
  posted: PostedMessage,
  request: IdempotentRequest,
): Promise<PostAnswer> {
  const earlier = await findIdempotencyEntry(deps.db, request);
  if (earlier !== undefined) return replay(deps, request, earlier);

  const next = await toNewMessage(deps, posted);
  const stored = await deps.db.transaction().execute(async (tx) => {
    const other = await claimIdempotencyKey(tx, request, request.bodyHash, [next.id]);
    return other ?? insertInboxMessage(tx, next);
  });
  if ('bodyHash' in stored) return replay(deps, request, stored);
  deps.announceInbox([stored.userId]);
  return { message: stored, replayed: false };
}

async function toNewMessage(
  { db }: InboxDeps,
  { applications, ...message }: PostedMessage,
): Promise<NewInboxMessage> {
  return { id: randomUUID(), ...message, appRefs: await getAppRefs(db, applications) };
}

async function replay(
  deps: InboxDeps,
  { bodyHash }: IdempotentRequest,
  entry: IdempotencyEntry,
): Promise<PostAnswer> {
  if (!entry.bodyHash.equals(bodyHash))
    throw new Refusal('conflict', 'This Idempotency-Key was used with another request body.');
  const [id = ''] = entry.messageIds;
  // Nothing else of a message changes, so this is the first answer.
  return { message: { ...(await getMessage(deps, id)), readAt: null }, replayed: true };
}
