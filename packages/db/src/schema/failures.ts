import type { Provider } from '@heliograph/core';
import type { Generated } from 'kysely';

export interface FailureTables {
  failureCounts: FailureCountsTable;
}

export const LANES = ['message', 'campaign'] as const;
/** What a delivery belongs to. */
export type DeliveryLane = (typeof LANES)[number];

export const FAILURE_STATES = ['failed', 'expired'] as const;
export type FailureState = (typeof FAILURE_STATES)[number];

interface FailureCountsTable {
  appRef: number;
  hour: Date;
  provider: Provider;
  lane: DeliveryLane;
  state: FailureState;
  reason: string;
  shard: number;
  failed: number;
  replayed: Generated<number>;
  firstAt: Date;
  lastAt: Date;
}
