import { TokenFaults } from './token-faults.ts';

describe('TokenFaults', () => {
  test('forgets the oldest token when it remembers 100,000', () => {
    const faults = new TokenFaults(() => ({ answer: { kind: 'fin' }, once: true }));
    for (let n = 0; n <= 100_000; n += 1) faults.take(`token-${n}`);

    expect(faults.take('token-100000')).toBeUndefined();
    expect(faults.take('token-0')).toEqual({ kind: 'fin' });
  });
});
