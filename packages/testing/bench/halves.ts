import { median } from './report.ts';

/** Memory whose median in the second half of a run is above that of the first half by more than this grows. */
const FLAT = 1.1;

/** The medians of the first and of the second half. */
export function toHalves(samples: readonly number[]): readonly [number, number] {
  const middle = Math.ceil(samples.length / 2);
  return [median(samples.slice(0, middle)), median(samples.slice(-middle))];
}

export function isFlat([first, second]: readonly [number, number]): boolean {
  return second <= first * FLAT;
}
