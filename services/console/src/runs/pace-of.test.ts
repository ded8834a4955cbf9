import { paceOf } from './pace-of.ts';

describe('the pace of a run', () => {
  test.each([
    [
      { ratePerSecondMeasured: 1.66, etaSeconds: 28 },
      { rate: 1.7, secondsLeft: 28 },
    ],
    [
      { ratePerSecondMeasured: 0.04, etaSeconds: 90_000_000 },
      { rate: 0, secondsLeft: null },
    ],
    [
      { ratePerSecondMeasured: 0, etaSeconds: null },
      { rate: 0, secondsLeft: null },
    ],
  ])('of %j is %j', (run, pace) => {
    expect(paceOf(run)).toEqual(pace);
  });
});
