import type { OverviewGetAnswer } from '@heliograph/client';

/** Whether there is nothing that somebody should look at. */
export function isWell(overview: OverviewGetAnswer): boolean {
  const { failures, pauses, heldFaults, certificates, callbacks, dispatchers } = overview;
  const troubles = [failures, pauses, heldFaults, certificates, callbacks];
  const isSomebodySending = dispatchers === null || dispatchers.some(({ alive }) => alive);
  return isSomebodySending && troubles.every((one) => one.length === 0);
}
