import { Refusal } from '@heliograph/core';
import { countPruned, restorePruned, type Db, type PrunedDevices } from '@heliograph/db';

const DEVICES_AT_ONCE = 5000;
/** A request does as much as it gets done in that time. */
const WITHIN_MS = 20_000;

export interface RestoreAnswer {
  /** How many have their push token back, or would have. */
  readonly devices: number;
  /** There was no time for all of them: ask again. */
  readonly more: boolean;
}

/** Takes back that the push tokens were deactivated, in batches; with `dryRun` it only counts them. Refuses a window that ends before it begins. */
export async function restoreDevices(
  { db }: { readonly db: Db },
  pruned: PrunedDevices,
  dryRun: boolean,
): Promise<RestoreAnswer> {
  if (pruned.until !== undefined && pruned.until <= pruned.since)
    throw new Refusal('invalid_request', 'until must be later than since.');
  if (dryRun) return { devices: await countPruned(db, pruned), more: false };

  const startedAt = performance.now();
  let devices = 0;
  for (;;) {
    const restored = await restorePruned(db, pruned, DEVICES_AT_ONCE);
    devices += restored;
    if (restored < DEVICES_AT_ONCE) return { devices, more: false };
    if (performance.now() - startedAt > WITHIN_MS) return { devices, more: true };
  }
}
