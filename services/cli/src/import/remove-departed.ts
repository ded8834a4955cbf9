import { countDeparted, removeDeparted } from '@heliograph/db';

import type { Finding } from './report.ts';
import type { Step } from './step.ts';

const PAGE_ROWS = 2_000;
/** More than these at once are hardly people who left: the database may be the wrong one, or one that was emptied. */
const MAX_SHARE = 0.2;
const FEW = 100;

/** Removes the devices that went away at the source; holds back where those would be very many, unless `acceptRemovals`. */
export function createRemoveDepartedStep(deps: { readonly acceptRemovals: boolean }): Step {
  return {
    name: 'departed devices',
    count: async () => 0,
    async read(cursor, { db, importRef }) {
      const { departed, taken } = await countDeparted(db, importRef);
      const tooMany = departed > FEW && departed > MAX_SHARE * (departed + taken);
      // What began goes on: the share of what is left says nothing.
      if (tooMany && !deps.acceptRemovals && cursor === null) return toHeldBack(departed);
      return {
        rows: Math.min(departed, PAGE_ROWS),
        next: departed > PAGE_ROWS ? String(Number(cursor ?? 0) + 1) : null,
        async take(tx) {
          const { removed } = await removeDeparted(tx, importRef, PAGE_ROWS);
          return [{ kind: 'devices', counted: 'removed', count: removed }];
        },
        compare: async () => [],
      };
    },
  };
}

function toHeldBack(departed: number) {
  const findings: readonly Finding[] = [
    {
      kind: 'devices',
      skipped: `the removal of ${departed} devices that are no longer there: where that is right, run again with --accept-removals`,
      row: '',
    },
  ];
  return { rows: 0, next: null, take: async () => findings, compare: async () => [] };
}
