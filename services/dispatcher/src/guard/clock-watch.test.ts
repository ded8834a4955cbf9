import { eventually } from '@heliograph/testing';

import { startClockWatch } from './clock-watch.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

/** What a watch logs that sees the other clock at these times, one after the other, the last one for ever. */
function watch(readings: readonly (number | Error)[]) {
  const logged: object[] = [];
  let read = 0;
  const clocks = startClockWatch({
    nowMs: () => NOW_MS,
    readTimeMs: async () => {
      const reading = readings[Math.min(read, readings.length - 1)];
      read += 1;
      if (typeof reading !== 'number') throw reading;
      return reading;
    },
    log: { error: (facts: object) => void logged.push(facts) },
    everyMs: 1,
    againMs: 1,
  });
  return {
    logged,
    seen: (times: number) =>
      eventually(async () => expect(read).toBeGreaterThan(times)).finally(() => clocks.close()),
  };
}

describe('a clock', () => {
  test.each([0, 60_000, -60_000])('that differs by %d ms is taken as right', async (skewMs) => {
    const { logged, seen } = watch([NOW_MS - skewMs]);

    await seen(1);

    expect(logged).toEqual([]);
  });

  test.each([
    [61_000, 61],
    [-3_600_000, -3600],
  ])('that differs by %d ms is an error', async (skewMs, skewSeconds) => {
    const { logged, seen } = watch([NOW_MS - skewMs]);

    await seen(1);

    expect(logged[0]).toEqual({ skewSeconds });
  });

  test('is compared again after the other could not be read', async () => {
    const { logged, seen } = watch([new Error('away'), NOW_MS - 90_000]);

    await seen(2);

    expect(logged[0]).toEqual({ skewSeconds: 90 });
  });
});
