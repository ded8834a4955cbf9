import { ConnectBudget } from './connect-budget.ts';

const LIMITS = { burst: 3, perSecond: 2, backoffMs: 1_000, maxBackoffMs: 5_000 };

const createBudget = () => new ConnectBudget(LIMITS, () => 1);
const takeAll = (budget: ConnectBudget, nowMs: number) => {
  let taken = 0;
  while (budget.take(nowMs) === 0) taken += 1;
  return taken;
};

test('allows a burst, then so many in a second', () => {
  const budget = createBudget();

  expect(takeAll(budget, 0)).toBe(3);
  expect(budget.take(0)).toBe(500);
  expect(takeAll(budget, 1_000)).toBe(2);
});

test('saves up no more than a burst', () => {
  const budget = createBudget();
  takeAll(budget, 0);

  expect(takeAll(budget, 3_600_000)).toBe(3);
});

test('waits longer after each failure, up to a bound, and not at all after a success', () => {
  const budget = createBudget();
  const waits = [0, 10_000, 20_000, 30_000].map((atMs) => {
    budget.noteFailure(atMs);
    return budget.take(atMs);
  });

  budget.noteSuccess();

  expect(waits).toEqual([1_000, 2_000, 4_000, 5_000]);
  expect(budget.isBackingOff(30_000)).toBe(false);
  expect(budget.take(30_000)).toBe(0);
});

test('dispatchers that failed together come again at different times', () => {
  const early = new ConnectBudget(LIMITS, () => 0);
  const late = new ConnectBudget(LIMITS, () => 0.999);

  early.noteFailure(0);
  late.noteFailure(0);

  expect(early.take(0)).toBe(500);
  expect(late.take(0)).toBeGreaterThan(990);
});

test('a connection without an answer may be chance once, not twice', () => {
  const budget = createBudget();

  budget.noteUseless(0);
  const first = budget.take(0);
  budget.noteUseless(0);

  expect(first).toBe(0);
  expect(budget.take(0)).toBe(2_000);
});
