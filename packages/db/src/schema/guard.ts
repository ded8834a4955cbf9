import type { Environment, PauseScope, Provider } from '@heliograph/core';
import type { Generated } from 'kysely';

export interface GuardTables {
  pauses: PausesTable;
  tokenFaults: TokenFaultsTable;
  answerCounts: AnswerCountsTable;
  guardDecisions: GuardDecisionsTable;
}

/** What pauses and faults are counted by. `environment` is empty for FCM. */
export interface CredentialScope {
  readonly appRef: number;
  readonly provider: Provider;
  readonly environment: Environment | '';
  readonly credentialVersion: number;
}

interface ScopeColumns {
  appRef: number;
  provider: Provider;
  environment: Environment | '';
  credentialVersion: number;
}

export interface PausesTable extends ScopeColumns {
  id: Generated<number>;
  scope: PauseScope | 'guard';
  reason: string;
  since: Generated<Date>;
  probeAt: Date | null;
  probeInterval: Generated<unknown>;
  probeLimit: Generated<unknown>;
  probeDeliveryId: string | null;
  liftedAt: Date | null;
}

export type FaultState = 'noted' | 'held' | 'applied' | 'moot' | 'discarded';

interface TokenFaultsTable extends ScopeColumns {
  id: Generated<number>;
  deviceId: number;
  pushTokenHash: Buffer;
  reason: string;
  kind: 'dead' | 'wrong_place';
  invalidSince: Date;
  notedAt: Generated<Date>;
  state: Generated<FaultState>;
  settledAt: Date | null;
}

interface AnswerCountsTable extends ScopeColumns {
  id: Generated<number>;
  answers: number;
  wrongPlace: number;
  dead: number;
  trouble: Generated<number>;
  at: Generated<Date>;
}

interface GuardDecisionsTable extends ScopeColumns {
  id: Generated<number>;
  decision: 'apply' | 'discard';
  at: Generated<Date>;
}
