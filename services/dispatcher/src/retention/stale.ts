import {
  deactivateStale,
  listStaleScopes,
  lookForStale,
  settleApproval,
  type Db,
  type StaleRules,
  type StaleScope,
} from '@heliograph/db';
import type { Logger } from 'pino';

const DEVICES_AT_ONCE = 5000;

export interface StaleDeps {
  readonly db: Db;
  /** Zero days: devices never get stale. */
  readonly stale: StaleRules;
  readonly log: Logger;
  readonly isStopping: () => boolean;
  readonly rest: () => Promise<void>;
}

/** Looks at every app at a provider whose daily look has come, and deactivates what is stale there, unless it is held for an operator. */
export async function deactivateStaleDevices(deps: StaleDeps): Promise<void> {
  const { db, stale, log } = deps;
  if (stale.days === 0) return;
  for (const scope of await listStaleScopes(db)) {
    if (deps.isStopping()) return;
    if (scope.approvedBefore !== null) {
      if (await deactivateAll(deps, scope, scope.approvedBefore)) await settleApproval(db, scope);
      continue;
    }
    const count = await lookForStale(db, scope, stale);
    if (count.heldBecause === null) await deactivateAll(deps, scope, count.staleBefore);
    else log.error({ ...scope, ...count }, 'stale devices held for an operator');
  }
}

/** Answers false where it was stopped before the end. */
async function deactivateAll(deps: StaleDeps, scope: StaleScope, before: Date): Promise<boolean> {
  const { appRef, provider } = scope;
  let all = 0;
  for (;;) {
    const devices = await deactivateStale(deps.db, scope, before, DEVICES_AT_ONCE);
    all += devices;
    if (devices < DEVICES_AT_ONCE) break;
    if (deps.isStopping()) return false;
    await deps.rest();
  }
  if (all > 0) deps.log.info({ appRef, provider, devices: all }, 'stale devices deactivated');
  return true;
}
