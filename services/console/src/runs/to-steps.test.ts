import { toSteps } from './to-steps.ts';

const at = (second: number, sent: number, failed = 0) => ({
  timestamp: `2026-11-26T00:00:${String(second).padStart(2, '0')}.000+00:00`,
  sent,
  failed,
  expired: 0,
  skipped: 0,
});

describe('the steps of a timeline', () => {
  test('are where something changed, down as well as up, and where it begins and ends', () => {
    const points = [at(0, 0), at(1, 0), at(2, 3), at(3, 3), at(4, 3, 1), at(5, 2, 1), at(6, 2, 1)];

    const steps = toSteps(points);

    expect(steps.map(({ timestamp }) => Number(timestamp.slice(17, 19)))).toEqual([0, 2, 4, 5, 6]);
  });

  test('of none are none', () => {
    expect(toSteps([])).toEqual([]);
  });
});
