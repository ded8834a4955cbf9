import type { DeliveryState, Priority, Provider } from '@heliograph/core';
import type { ColumnType, Generated } from 'kysely';

export interface MessageTables {
  messages: MessagesTable;
  deliveries: DeliveriesTable;
  idempotencyKeys: IdempotencyKeysTable;
}

interface MessagesTable {
  id: string;
  appRef: number;
  /** Null where a message to a push token found nobody's device. */
  userId: string | null;
  pushTokenHash: Buffer | null;
  activationId: string | null;
  silent: boolean;
  personal: boolean;
  priority: Priority;
  body: ColumnType<unknown, string, never>;
  awaited: boolean;
  expiresAt: Date;
  createdAt: Generated<Date>;
  developerKeyRef: number | null;
}

interface DeliveriesTable {
  id: string;
  messageId: string;
  appRef: number;
  deviceId: number;
  provider: Provider;
  state: DeliveryState;
  reason: string | null;
  attempts: Generated<number>;
  ambiguousAttempts: Generated<number>;
  nextAttemptAt: Date | null;
  pauseId: number | null;
  leaseUntil: Date | null;
  leaseEpoch: Generated<number>;
  providerMessageId: string | null;
  finishedAt: Date | null;
  history: ColumnType<readonly AttemptRecord[] | null, string | null, string | null>;
}

/** One attempt as the ledger keeps it. */
export interface AttemptRecord {
  /** ISO instant at which the provider was called. */
  readonly at: string;
  readonly outcome: string;
  readonly reason?: string;
  /** The provider's HTTP status, where there was an answer. */
  readonly status?: number;
  readonly endpoint: string;
  readonly environment: string;
  readonly credentialVersion: number;
  readonly latencyMs: number;
  readonly nextAttemptAt?: string;
}

interface IdempotencyKeysTable {
  caller: string;
  operation: string;
  key: string;
  bodyHash: Buffer;
  messageIds: string[];
  answer: ColumnType<unknown, string | null, string | null>;
  createdAt: Generated<Date>;
}
