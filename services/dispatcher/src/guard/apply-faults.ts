import {
  applyRipeFaults,
  evaluateGuard,
  holdFaults,
  listRipeScopes,
  type Db,
} from '@heliograph/db';
import type { Logger } from 'pino';

/** Deactivates the devices whose token faults are a minute old, unless the guard holds them. */
export async function applyRipeTokenFaults(deps: { db: Db; log: Logger }): Promise<void> {
  for (const scope of await listRipeScopes(deps.db)) {
    const { holdWrongPlace, holdDead } = await evaluateGuard(deps.db, scope);
    for (const [kind, hold] of [
      ['wrong_place', holdWrongPlace],
      ['dead', holdDead],
    ] as const) {
      if (hold) {
        const held = await holdFaults(deps.db, scope, kind);
        if (held > 0) deps.log.error({ ...scope, kind, held }, 'guard holds token faults');
        continue;
      }
      const deactivated = await applyRipeFaults(deps.db, scope, kind);
      if (deactivated > 0)
        deps.log.info({ ...scope, kind, deactivated }, 'dead tokens deactivated');
    }
  }
}
