import type { OverviewGetAnswer } from '@heliograph/client';

/** Whether there is nothing that somebody should look at. */
export function isWell(overview: OverviewGetAnswer): boolean {
  const { runs, failures, pauses, heldFaults, certificates, callbacks, dispatchers } = overview;
  const troubles = [failures, pauses, heldFaults, certificates, callbacks];
  const isSomebodySending = dispatchers === null || dispatchers.some(({ alive }) => alive);
  const doRunsGoOn = runs.every(({ state }) => state !== 'halted');
  return isSomebodySending && doRunsGoOn && troubles.every((one) => one.length === 0);
}
