import type { CallbackType } from '@heliograph/core';
import type { ColumnType, Generated } from 'kysely';

export interface CallbackTables {
  callbackEndpoints: CallbackEndpointsTable;
  callbackCalls: CallbackCallsTable;
  callbackSecrets: CallbackSecretsTable;
  callbackEvents: CallbackEventsTable;
}

interface CallbackEndpointsTable {
  id: Generated<number>;
  appRef: number;
  developerKeyRef: Generated<number>;
  url: string;
  target: string;
  callbackKey: string | null;
  types: string[] | null;
  createdAt: Generated<Date>;
  positionXid: Generated<string>;
  positionId: Generated<string>;
  nextAttemptAt: Generated<Date>;
  leaseUntil: Date | null;
  leaseEpoch: Generated<number>;
  failures: Generated<number>;
  failingSince: Date | null;
  triedFrom: Generated<Date>;
  passedOver: Generated<number>;
  lastAttemptAt: Date | null;
  lastSuccessAt: Date | null;
  lastResult: string | null;
  lastLatencyMs: number | null;
  suspendedAt: Date | null;
  suspendedBecause: 'gone' | 'failing' | null;
}

interface CallbackCallsTable {
  id: Generated<number>;
  endpointRef: number;
  at: Generated<Date>;
  events: number;
  afterXid: string;
  afterId: string;
  endXid: string;
  endId: string;
  resendOf: number | null;
  result: string | null;
  taken: boolean | null;
  latencyMs: number | null;
}

interface CallbackSecretsTable {
  id: string;
  endpointRef: number;
  sealedSecret: Buffer;
  usedFrom: Date;
  createdAt: Generated<Date>;
}

interface CallbackEventsTable {
  id: Generated<string>;
  appRef: number;
  developerKeyRef: number;
  xid: Generated<string>;
  type: CallbackType;
  data: ColumnType<Readonly<Record<string, unknown>>, string, never>;
  createdAt: Generated<Date>;
}
