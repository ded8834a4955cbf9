import { toDaysLeft, toUrgency } from './days-left.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');

describe('toDaysLeft', () => {
  test.each([
    ['2026-03-31T12:00:00Z', 30],
    ['2026-03-31T11:59:59Z', 29],
    ['2026-03-01T12:00:01Z', 0],
    ['2026-03-01T11:59:59Z', -1],
    ['2026-02-28T12:00:00Z', -1],
  ])('counts whole days until %s', (validTo, days) => {
    expect(toDaysLeft(validTo, NOW)).toBe(days);
  });
});

describe('toUrgency', () => {
  test.each([
    [-1, 'ended'],
    [0, 'soon'],
    [29, 'soon'],
    [30, 'fine'],
  ])('warns in time: %d days', (days, urgency) => {
    expect(toUrgency(days)).toBe(urgency);
  });
});
