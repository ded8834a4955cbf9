import { createMessageId, toExpiresAt, type MessageBody, type Priority } from '@heliograph/core';
import { countOutcomes, type StoredMessage } from '@heliograph/db';

import { acceptOnce, type IdempotentRequest } from './accept-once.ts';
import type { MessageDeps } from './message-deps.ts';
import { NO_COUNTS, toCounts, type CountsByProvider } from './outcome-counts.ts';
import { refuseOversized } from './refuse-oversized.ts';

export type SendMode = 'SYNCHRONOUS' | 'ASYNCHRONOUS';

/** One message as a caller asks for it. */
export interface NewMessage {
  readonly userId: string;
  /** Only to this activation of the user. */
  readonly activationId?: string;
  readonly silent: boolean;
  /** Not to devices whose activation is not active. */
  readonly personal: boolean;
  readonly priority: Priority;
  readonly body: MessageBody;
  /** Not sent at or after this instant. */
  readonly validUntil?: Date;
}

export interface SendRequest {
  readonly appId: string;
  readonly messages: readonly NewMessage[];
  /** SYNCHRONOUS waits until every delivery is final, up to the wait limit; ASYNCHRONOUS only until the messages are stored. */
  readonly mode: SendMode;
  readonly idempotency?: IdempotentRequest;
}

export interface SendAnswer {
  readonly mode: SendMode;
  /** In the order of the request. */
  readonly messageIds: readonly string[];
  readonly counts: CountsByProvider;
  /** Whether this is the answer to an earlier request with the same Idempotency-Key. */
  readonly replayed: boolean;
}

/**
 * Accepts messages: when this resolves they are stored and will be delivered, whatever dies. Refuses all of them when one is invalid,
 * the app is unknown, or a payload is over a platform's limit.
 */
export async function sendMessages(deps: MessageDeps, request: SendRequest): Promise<SendAnswer> {
  if (request.idempotency !== undefined)
    return acceptOnce(
      deps,
      request.idempotency,
      () => toStoredMessages(deps, request),
      (messageIds) => answer(deps, request.mode, messageIds),
    );

  const messages = await toStoredMessages(deps, request);
  const { deliveries } = await deps.acceptor.accept(messages);
  const messageIds = messages.map((message) => message.id);
  if (request.mode === 'ASYNCHRONOUS' || deliveries.every(({ state }) => state !== 'pending'))
    return {
      mode: request.mode,
      messageIds,
      counts: toCounts(deliveries.map((delivery) => ({ ...delivery, count: 1 }))),
      replayed: false,
    };
  return answer(deps, request.mode, messageIds);
}

/** The request's messages as they are stored. Refuses them all when the app or one of them is not fit to be sent. */
async function toStoredMessages(
  deps: MessageDeps,
  { appId, messages, mode }: SendRequest,
): Promise<readonly StoredMessage[]> {
  const app = await deps.apps.getSendingApp(appId);
  const now = deps.now();
  return messages.map((message, index) => {
    const stored = toStoredMessage(message, app.appRef, mode, now);
    const place = messages.length > 1 ? index : undefined;
    refuseOversized({ ...stored, body: message.body }, app.routes, deps.fcm, place);
    return stored;
  });
}

/** Waits if the mode says so, then reads the counts from the ledger. */
async function answer(
  deps: MessageDeps,
  mode: SendMode,
  messageIds: readonly string[],
): Promise<SendAnswer> {
  if (mode === 'ASYNCHRONOUS') return { mode, messageIds, counts: NO_COUNTS, replayed: false };
  await deps.waiter.wait(messageIds, deps.syncWaitMs);
  const counts = toCounts(await countOutcomes(deps.db, messageIds));
  return { mode, messageIds, counts, replayed: false };
}

function toStoredMessage(
  message: NewMessage,
  appRef: number,
  mode: SendMode,
  now: Date,
): StoredMessage {
  return {
    id: createMessageId(now.getTime()),
    appRef,
    userId: message.userId,
    activationId: message.activationId,
    silent: message.silent,
    personal: message.personal,
    priority: message.priority,
    body: JSON.stringify(message.body),
    awaited: mode === 'SYNCHRONOUS',
    expiresAt: toExpiresAt(message.validUntil, message.silent, now),
  };
}
