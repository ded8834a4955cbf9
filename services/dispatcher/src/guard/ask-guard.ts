import {
  evaluateGuard,
  holdFaults,
  type CredentialScope,
  type Db,
  type GuardVerdict,
} from '@heliograph/db';
import type { Logger } from 'pino';

import type { Pauses } from './pauses.ts';

export interface GuardDeps {
  readonly db: Db;
  readonly pauses: Pauses;
  readonly log: Logger;
}

/** Holds a scope's noted faults where they look like our own mistake, and stops the scope where every token would get them. */
export async function askGuard(deps: GuardDeps, scope: CredentialScope): Promise<GuardVerdict> {
  const verdict = await evaluateGuard(deps.db, scope);
  if (verdict.holdDead) await hold(deps, scope, 'dead');
  if (verdict.holdWrongPlace) {
    await hold(deps, scope, 'wrong_place');
    await deps.pauses.open(scope, 'guard', 'too_many_invalid_tokens');
  }
  return verdict;
}

async function hold(
  { db, log }: GuardDeps,
  scope: CredentialScope,
  kind: 'dead' | 'wrong_place',
): Promise<void> {
  const held = await holdFaults(db, scope, kind);
  if (held > 0)
    log.error({ ...scope, kind, held }, 'guard holds token faults: check the credential');
}
