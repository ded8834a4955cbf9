import { applyRipeFaults, listRipeScopes } from '@heliograph/db';

import { askGuard, type GuardDeps } from './ask-guard.ts';

/** Deactivates the devices whose token faults are a minute old, unless the guard holds them. */
export async function applyRipeTokenFaults(deps: GuardDeps): Promise<void> {
  for (const scope of await listRipeScopes(deps.db)) {
    const { holdWrongPlace, holdDead } = await askGuard(deps, scope);
    for (const [kind, isHeld] of [
      ['wrong_place', holdWrongPlace],
      ['dead', holdDead],
    ] as const) {
      if (isHeld) continue;
      const deactivated = await applyRipeFaults(deps.db, scope, kind);
      if (deactivated > 0)
        deps.log.info({ ...scope, kind, deactivated }, 'dead tokens deactivated');
    }
  }
}
