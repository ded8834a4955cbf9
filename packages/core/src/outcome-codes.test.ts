import { isFinalCode, OUTCOME_CODES, toOutcome, toOutcomeCode } from './outcome-codes.ts';

describe('the outcome codes', () => {
  test('are one byte each, and each means one thing', () => {
    const codes = OUTCOME_CODES.map(({ code }) => code);
    const meanings = OUTCOME_CODES.map(({ state, reason }) => `${state} ${reason}`);

    expect(codes.every((code) => Number.isInteger(code) && code >= 0 && code <= 255)).toBe(true);
    expect(new Set(codes).size).toBe(codes.length);
    expect(new Set(meanings).size).toBe(meanings.length);
  });

  test('of failures are those from 40 on, as the sums of a run count them', () => {
    expect(OUTCOME_CODES.filter(({ code }) => code >= 40)).toEqual(
      OUTCOME_CODES.filter(({ state }) => state === 'failed'),
    );
  });

  test.each(OUTCOME_CODES.filter(({ state }) => state !== 'pending'))(
    'come back as they went in: $state $reason',
    ({ code, state, reason }) => {
      expect(state !== 'pending' && toOutcomeCode(state, reason)).toBe(code);
      expect(toOutcome(code)).toEqual({ code, state, reason });
      expect(isFinalCode(code)).toBe(true);
    },
  );

  test.each([
    ['failed', 'SomethingNew', 'other'],
    ['expired', 'ServiceUnavailable', 'expired'],
  ] as const)('of %s %s say %s', (state, reason, kept) => {
    expect(toOutcome(toOutcomeCode(state, reason))).toMatchObject({ state, reason: kept });
  });

  test('are not made up', () => {
    expect(() => toOutcome(255)).toThrow(RangeError);
    expect(() => toOutcomeCode('skipped', 'no such reason')).toThrow(RangeError);
  });
});
