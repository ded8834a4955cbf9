import { setImmediate } from 'node:timers/promises';

import { Refusal } from '@heliograph/core';
import {
  insertMessages,
  isDatabaseUnavailable,
  type CallbackAudience,
  type Db,
  type StoredDelivery,
  type StoredMessage,
} from '@heliograph/db';
import type { Lane } from '@heliograph/queue';

/** What came of accepting one caller's messages. */
export interface Accepted {
  readonly deliveries: readonly StoredDelivery[];
}

export interface MessageAcceptor {
  /** Stores the messages, all or none, and announces their deliveries. Once it resolves they are not lost, whatever dies. */
  accept(messages: readonly StoredMessage[]): Promise<Accepted>;
  /** Whether anybody is told what becomes of these messages, which they are to be stored with. */
  isHeard(messages: readonly StoredMessage[]): boolean;
  /** Stores the messages in the caller's transaction, all or none. Their deliveries are to be announced when it is over. */
  storeIn(tx: Db, messages: readonly StoredMessage[]): Promise<readonly StoredDelivery[]>;
  /** Announces deliveries that were stored in a transaction of somebody else. */
  announce(deliveries: readonly StoredDelivery[]): void;
  /** Waits for what is being stored and announced. */
  close(): Promise<void>;
}

interface Waiting {
  readonly messages: readonly StoredMessage[];
  readonly resolve: (accepted: Accepted) => void;
  readonly reject: (error: unknown) => void;
}

/** At most so many messages share a statement; more wait for the next one. */
const MAX_MESSAGES_PER_COMMIT = 500;
/** So many messages may wait while the database is slow: more are refused, before memory runs out. */
const MAX_WAITING_MESSAGES = 20_000;
/** So many statements may be under way at once: the second gathers while the first commits. */
const MAX_COMMITS_IN_FLIGHT = 2;

/**
 * Group commit: what arrives while a statement is under way is stored by the next one, so the cost of a commit and of a job is shared.
 * Nobody waits for company: on an idle server a message is stored at once, together with what came in the same turn of the event loop.
 */
export function createMessageAcceptor(
  deps: { db: Db; lane: Lane; audience: CallbackAudience },
  maxWaiting = MAX_WAITING_MESSAGES,
): MessageAcceptor {
  const waiting: Waiting[] = [];
  const underWay = new Set<Promise<unknown>>();
  let commitsInFlight = 0;
  let messagesWaiting = 0;
  let isGathering = false;

  function track(work: Promise<unknown>): void {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  }

  function isHeard(messages: readonly StoredMessage[]): boolean {
    return messages.some(({ appRef }) => deps.audience.listensTo(appRef));
  }

  function storeIn(db: Db, messages: readonly StoredMessage[]): Promise<readonly StoredDelivery[]> {
    return insertMessages(db, messages, { isHeard: isHeard(messages) });
  }

  function announce(deliveries: readonly StoredDelivery[]): void {
    const due = deliveries.filter((d) => d.state === 'pending').map((d) => d.id);
    if (due.length > 0) track(deps.lane.announce(due));
  }

  /** An immediate comes once all sockets that had something were read: or the first of many requests would have a statement for itself. */
  function commitSoon(): void {
    if (isGathering || commitsInFlight === MAX_COMMITS_IN_FLIGHT || waiting.length === 0) return;
    isGathering = true;
    track(setImmediate().then(commitNext));
  }

  function commitNext(): void {
    isGathering = false;
    const group = takeGroup(waiting);
    for (const { messages } of group) messagesWaiting -= messages.length;
    commitsInFlight += 1;
    const commit = commitGroup(group).finally(() => {
      commitsInFlight -= 1;
      commitSoon();
    });
    track(commit);
  }

  async function commitGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const messages = group.flatMap((one) => one.messages);
      const deliveries = await storeIn(deps.db, messages);
      announce(deliveries);
      const byMessage = groupByMessage(deliveries);
      for (const { messages: own, resolve } of group)
        resolve({ deliveries: own.flatMap((m) => byMessage.get(m.id) ?? []) });
    } catch (error) {
      // Where the database is away, each alone would fail too, and take its time.
      if (group.length === 1 || isDatabaseUnavailable(error))
        return group.forEach((one) => one.reject(error));
      // A row that the database refuses must not refuse the others' messages too.
      for (const one of group) await commitGroup([one]);
    }
  }

  return {
    accept(messages) {
      if (messagesWaiting + messages.length > maxWaiting)
        return Promise.reject(
          new Refusal('unavailable', 'Too many messages wait to be stored; try again later.'),
        );
      messagesWaiting += messages.length;
      return new Promise((resolve, reject) => {
        waiting.push({ messages, resolve, reject });
        commitSoon();
      });
    },
    isHeard,
    storeIn,
    announce,
    async close() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}

function takeGroup(waiting: Waiting[]): Waiting[] {
  let messages = 0;
  let count = 0;
  for (const one of waiting) {
    if (count > 0 && messages + one.messages.length > MAX_MESSAGES_PER_COMMIT) break;
    messages += one.messages.length;
    count += 1;
  }
  return waiting.splice(0, count);
}

function groupByMessage(deliveries: readonly StoredDelivery[]): Map<string, StoredDelivery[]> {
  const groups = new Map<string, StoredDelivery[]>();
  for (const delivery of deliveries) {
    const group = groups.get(delivery.messageId);
    if (group === undefined) groups.set(delivery.messageId, [delivery]);
    else group.push(delivery);
  }
  return groups;
}
