/** What may come of a device, in the order and the colours in which it is drawn. */
export const OUTCOME_PARTS = [
  { part: 'sent', colour: 'green.6' },
  { part: 'failed', colour: 'red.6' },
  { part: 'expired', colour: 'orange.6' },
  { part: 'skipped', colour: 'gray.5' },
] as const;
