import { Refusal } from '@heliograph/core';
import {
  claimIdempotencyKey,
  findIdempotencyEntry,
  keepFirstAnswer,
  type IdempotencyEntry,
  type IdempotencyScope,
  type StoredMessage,
} from '@heliograph/db';

import type { MessageDeps } from './message-deps.ts';
import { isCounts } from './outcome-counts.ts';
import type { SendAnswer } from './send-messages.ts';

/** A request that a caller may repeat: the same key and body send nothing a second time. */
export interface IdempotentRequest extends IdempotencyScope {
  /** SHA-256 of the raw request body. */
  readonly bodyHash: Buffer;
}

/**
 * Stores the messages unless a request with this key did before; then gives that one's answer. The key is written in the messages'
 * transaction, so neither exists without the other. Where the first request died before it answered, or is still waiting, its answer
 * is made from the ledger, and whichever is made first stays. Refuses a key that comes with another body.
 *
 * `prepare` may refuse the messages. It is not asked for what was accepted before: the app may have changed since.
 */
export async function acceptOnce(
  deps: MessageDeps,
  request: IdempotentRequest,
  prepare: () => Promise<readonly StoredMessage[]>,
  answer: (messageIds: readonly string[]) => Promise<SendAnswer>,
): Promise<SendAnswer> {
  const earlier = await findIdempotencyEntry(deps.db, request);
  const messages = earlier === undefined ? await prepare() : [];
  const entry = earlier ?? (await storeWithKey(deps, request, messages));
  if (entry === undefined) {
    const first = await answer(messages.map((message) => message.id));
    return toAnswer(await keepFirstAnswer(deps.db, request, first), false);
  }

  if (!entry.bodyHash.equals(request.bodyHash))
    throw new Refusal('conflict', 'This Idempotency-Key was used with another request body.');
  if (entry.answer !== null) return toAnswer(entry.answer, true);
  return toAnswer(await keepFirstAnswer(deps.db, request, await answer(entry.messageIds)), true);
}

/** Answers the entry of another request that was quicker; undefined when the messages are stored now. */
async function storeWithKey(
  deps: MessageDeps,
  request: IdempotentRequest,
  messages: readonly StoredMessage[],
): Promise<IdempotencyEntry | undefined> {
  const ids = messages.map((message) => message.id);
  const stored = await deps.db.transaction().execute(async (tx) => {
    const other = await claimIdempotencyKey(tx, request, request.bodyHash, ids);
    return other ?? deps.acceptor.storeIn(tx, messages);
  });
  if ('bodyHash' in stored) return stored;
  deps.acceptor.announce(stored);
  return undefined;
}

function toAnswer(kept: unknown, replayed: boolean): SendAnswer {
  if (!isKeptAnswer(kept)) throw new Error('the kept answer of an Idempotency-Key is damaged');
  return { ...kept, replayed };
}

function isKeptAnswer(value: unknown): value is SendAnswer {
  return (
    typeof value === 'object' &&
    value !== null &&
    'mode' in value &&
    'messageIds' in value &&
    Array.isArray(value.messageIds) &&
    'counts' in value &&
    isCounts(value.counts)
  );
}
