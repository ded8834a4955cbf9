import type { RunTimeline } from '@heliograph/client';

import { OUTCOME_PARTS } from './outcome-parts.ts';

type Point = RunTimeline['points'][number];

/** The first and the last point, and between them those at which something was different from before. */
export function toSteps(points: readonly Point[]): readonly Point[] {
  return points.filter((point, n) => {
    const before = points[n - 1];
    if (before === undefined || n === points.length - 1) return true;
    return OUTCOME_PARTS.some(({ part }) => point[part] !== before[part]);
  });
}
