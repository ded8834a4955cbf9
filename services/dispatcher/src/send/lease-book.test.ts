import { createLeaseBook } from './lease-book.ts';

const ID = '019345a0-0000-7000-8000-000000000001';

describe('the lease book', () => {
  test('does not take a lease that was claimed anew for the one that ran out', () => {
    let nowMs = 0;
    const book = createLeaseBook({
      renew: () => Promise.resolve([]),
      clockMs: () => nowMs,
      onError: () => undefined,
      leaseMs: 60_000,
    });
    const [old, anew] = [
      { id: ID, leaseEpoch: 1 },
      { id: ID, leaseEpoch: 2 },
    ];
    book.hold([old], nowMs);
    nowMs = 90_000;
    book.hold([anew], nowMs);

    // Who waited under the old one must not send beside the holder of the new one, nor take it away.
    expect(book.outlasts(old, 12_000)).toBe(false);
    book.drop(old);
    expect(book.outlasts(anew, 12_000)).toBe(true);
    book.drop(anew);
    expect(book.size).toBe(0);
    book.close();
  });
});
