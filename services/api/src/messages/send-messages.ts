import { createMessageId, toExpiresAt, type MessageBody, type Priority } from '@heliograph/core';
import { countOutcomes, type StoredMessage } from '@heliograph/db';
import type { Span } from '@heliograph/runtime';

import type { RequestOrigin } from '../origin.ts';
import { acceptInSpan, noteAccepted, noteMessages } from './accept-span.ts';
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
  readonly origin?: RequestOrigin;
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
export function sendMessages(deps: MessageDeps, request: SendRequest): Promise<SendAnswer> {
  return acceptInSpan(deps.tracing, request.origin, (span) => send(deps, request, span));
}

async function send(
  deps: MessageDeps,
  request: SendRequest,
  span: Span | undefined,
): Promise<SendAnswer> {
  const { mode, idempotency } = request;
  const noteStored = (messageIds: readonly string[]) => {
    // What is waited for from here on is the dispatchers' work.
    span?.end();
    noteMessages(deps.log, request.origin, messageIds);
  };
  if (idempotency !== undefined)
    return acceptOnce(
      deps,
      idempotency,
      () => toStoredMessages(deps, request, span),
      (messageIds) => {
        noteStored(messageIds);
        return answer(deps, mode, messageIds);
      },
    );

  const messages = await toStoredMessages(deps, request, span);
  const { deliveries } = await deps.acceptor.accept(messages);
  const messageIds = messages.map((message) => message.id);
  noteStored(messageIds);
  if (mode === 'ASYNCHRONOUS' || deliveries.every(({ state }) => state !== 'pending'))
    return {
      mode,
      messageIds,
      counts: toCounts(deliveries.map((delivery) => ({ ...delivery, count: 1 }))),
      replayed: false,
    };
  return answer(deps, mode, messageIds);
}

/** The request's messages as they are stored. Refuses them all when the app or one of them is not fit to be sent. */
async function toStoredMessages(
  deps: MessageDeps,
  { appId, messages, mode }: SendRequest,
  span: Span | undefined,
): Promise<readonly StoredMessage[]> {
  const app = await deps.apps.getSendingApp(appId);
  const now = deps.now();
  const facts = { appRef: app.appRef, mode, now, traceParent: span?.traceParent };
  const accepted = messages.map((message, index) => {
    const stored = toStoredMessage(message, facts);
    const place = messages.length > 1 ? index : undefined;
    refuseOversized({ ...stored, body: message.body }, app.routes, deps.fcm, place);
    return stored;
  });
  noteAccepted(span, accepted);
  return accepted;
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

/** What all messages of a request have in common. */
interface RequestFacts {
  readonly appRef: number;
  readonly mode: SendMode;
  readonly now: Date;
  readonly traceParent: string | undefined;
}

function toStoredMessage(
  message: NewMessage,
  { appRef, mode, now, traceParent }: RequestFacts,
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
    traceParent,
  };
}
