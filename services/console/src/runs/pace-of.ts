import type { RunProgress } from '@heliograph/client';

export interface Pace {
  /** Pushes per second, to a tenth. */
  readonly rate: number;
  /** Null where nobody can say: it is not being sent, or hardly. */
  readonly secondsLeft: number | null;
}

/** How fast a run goes lately, and how long it takes at that. A rate that rounds to nothing would tell of years. */
export function paceOf({
  ratePerSecondMeasured,
  etaSeconds,
}: Pick<RunProgress, 'ratePerSecondMeasured' | 'etaSeconds'>): Pace {
  const rate = Math.round(10 * ratePerSecondMeasured) / 10;
  return { rate, secondsLeft: rate > 0 ? etaSeconds : null };
}
