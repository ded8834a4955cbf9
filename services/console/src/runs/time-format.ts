const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How times of one run are said next to each other: by the second, the minute or the day, as long as it takes. */
export function toTimeFormat(
  points: readonly { readonly timestamp: string }[],
): Intl.DateTimeFormatOptions {
  const [first, last] = [points[0], points.at(-1)].map((point) =>
    point === undefined ? 0 : Date.parse(point.timestamp),
  );
  const duration = (last ?? 0) - (first ?? 0);
  if (duration < HOUR_MS) return { hour: 'numeric', minute: '2-digit', second: '2-digit' };
  if (duration < DAY_MS) return { hour: 'numeric', minute: '2-digit' };
  return { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' };
}
