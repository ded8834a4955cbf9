const DAY_MS = 24 * 3_600_000;
/** From here on it is time to ask for a new one. */
const SOON_DAYS = 30;

export type Urgency = 'ended' | 'soon' | 'fine';

/** Whole days until an instant in ISO 8601, rounded down: below 0 once it is past. */
export function toDaysLeft(validTo: string, nowMs: number): number {
  return Math.floor((Date.parse(validTo) - nowMs) / DAY_MS);
}

export function toUrgency(daysLeft: number): Urgency {
  if (daysLeft < 0) return 'ended';
  return daysLeft < SOON_DAYS ? 'soon' : 'fine';
}
