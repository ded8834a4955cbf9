import { isUuid, toMessageId, type DeliveryState } from '@heliograph/core';
import { findMessage, listDeliveries, type AttemptRecord, type Db } from '@heliograph/db';

/** What happened to a message, to the last attempt. */
export interface MessageStatus {
  readonly id: string;
  readonly appId: string;
  /** Null for a message to a push token that was nobody's. */
  readonly userId: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly counts: LedgerCounts;
  readonly deliveries: readonly DeliveryStatus[];
}

/** targeted = sent + failed + expired + skipped + pending; `ambiguous` counts deliveries, beside the sum. */
export type LedgerCounts = Readonly<Record<DeliveryState | 'targeted' | 'ambiguous', number>>;

export interface DeliveryStatus {
  readonly id: string;
  readonly platform: 'ios' | 'android';
  readonly state: DeliveryState;
  readonly reason?: string;
  readonly attempts: number;
  readonly nextAttemptAt?: Date;
  readonly finishedAt?: Date;
  readonly providerMessageId?: string;
  readonly history: readonly AttemptRecord[];
}

/** The message with this id, or with this id of one of its deliveries (the apns-id of a push). */
export async function findMessageStatus(
  deps: { db: Db },
  id: string,
): Promise<MessageStatus | undefined> {
  if (!isUuid(id)) return undefined;
  const messageId = toMessageId(id.toLowerCase());
  const message = await findMessage(deps.db, messageId);
  if (message === undefined) return undefined;

  const rows = await listDeliveries(deps.db, messageId);
  const counts = {
    targeted: 0,
    sent: 0,
    failed: 0,
    expired: 0,
    skipped: 0,
    pending: 0,
    ambiguous: 0,
  };
  for (const row of rows) {
    counts.targeted += 1;
    counts[row.state] += 1;
    if (row.ambiguousAttempts > 0) counts.ambiguous += 1;
  }
  return { ...message, counts, deliveries: rows.map(toDeliveryStatus) };
}

type DeliveryRow = Pick<
  Awaited<ReturnType<typeof listDeliveries>>[number],
  | 'id'
  | 'provider'
  | 'state'
  | 'reason'
  | 'attempts'
  | 'nextAttemptAt'
  | 'finishedAt'
  | 'providerMessageId'
  | 'history'
>;

/** A delivery as callers see it: what there is not is left out. */
export function toDeliveryStatus(row: DeliveryRow): DeliveryStatus {
  return {
    id: row.id,
    platform: row.provider === 'apns' ? 'ios' : 'android',
    state: row.state,
    attempts: row.attempts,
    history: row.history ?? [],
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.nextAttemptAt === null ? {} : { nextAttemptAt: row.nextAttemptAt }),
    ...(row.finishedAt === null ? {} : { finishedAt: row.finishedAt }),
    ...(row.providerMessageId === null ? {} : { providerMessageId: row.providerMessageId }),
  };
}
