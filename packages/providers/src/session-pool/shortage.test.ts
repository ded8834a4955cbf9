import { Shortage } from './shortage.ts';

describe('a shortage of streams', () => {
  test('is long after a while in which something waited all the time', () => {
    const shortage = new Shortage(1_000, Number.POSITIVE_INFINITY);

    const looks = [0, 999, 1_000].map((atMs) => shortage.isLong(atMs));

    expect(looks).toEqual([false, false, true]);
  });

  test('begins anew when nothing waited in between, and when it was acted upon', () => {
    const shortage = new Shortage(1_000, Number.POSITIVE_INFINITY);
    shortage.isLong(0);
    shortage.end();

    const looks = [1_500, 2_499, 2_500, 3_000, 4_000].map((atMs) => shortage.isLong(atMs));

    expect(looks).toEqual([false, false, true, false, true]);
  });

  test('is none where this process had no time for more', () => {
    const shortage = new Shortage(1_000, 0);

    const looks = [0, 1_000, 2_000].map((atMs) => shortage.isLong(atMs));

    expect(looks).toEqual([false, false, false]);
  });
});
