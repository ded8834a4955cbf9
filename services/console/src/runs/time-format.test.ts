import { toTimeFormat } from './time-format.ts';

describe('times of a run', () => {
  test.each([
    ['2026-11-26T00:00:30Z', 'by the second', { second: '2-digit' }, ['day']],
    ['2026-11-26T01:00:00Z', 'by the minute', { minute: '2-digit' }, ['second', 'day']],
    ['2026-11-27T00:00:00Z', 'with their days', { day: 'numeric' }, ['second']],
  ])('until %s are said %s', (timestamp, _how, has, hasNot) => {
    const format = toTimeFormat([{ timestamp: '2026-11-26T00:00:00Z' }, { timestamp }]);

    expect(format).toMatchObject(has);
    for (const part of hasNot) expect(format).not.toHaveProperty(part);
  });
});
