import { toEndOfDay } from './end-of-day.ts';

describe('toEndOfDay', () => {
  test.each([
    ['2026-03-01', new Date(2026, 2, 2)],
    ['2026-12-31', new Date(2027, 0, 1)],
    ['2028-02-28', new Date(2028, 1, 29)],
  ])('of %s is the midnight after it, local time', (day, end) => {
    expect(toEndOfDay(day)).toBe(end.toISOString());
  });
});
