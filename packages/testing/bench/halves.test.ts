import { isFlat, toHalves } from './halves.ts';

describe('toHalves', () => {
  test('takes the medians, with the middle in both of an odd number', () => {
    expect(toHalves([1, 2, 3, 7, 8])).toEqual([2, 7]);
  });
});

describe('isFlat', () => {
  test.each([
    [100, 110, true],
    [100, 111, false],
    [100, 50, true],
  ])('from %d to %d: %s', (first, second, expected) => {
    expect(isFlat([first, second])).toBe(expected);
  });
});
