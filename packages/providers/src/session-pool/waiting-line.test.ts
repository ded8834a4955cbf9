import { WaitingLine } from './waiting-line.ts';

const toItem = (waitsUntilMs: number, name = '') => ({ waitsUntilMs, name });

test('is first in, first out for those of equal patience', () => {
  const line = new WaitingLine<ReturnType<typeof toItem>>();
  for (const name of ['a', 'b', 'c']) line.push(toItem(1, name));

  expect([line.shift(), line.shift(), line.shift(), line.shift()].map((one) => one?.name)).toEqual([
    'a',
    'b',
    'c',
    undefined,
  ]);
});

test('has those ahead that have to leave earlier, at any fill', () => {
  const line = new WaitingLine<ReturnType<typeof toItem>>();
  const left: number[] = [];
  for (let n = 0; n < 1_000; n += 1) {
    line.push(toItem((n * 7_919) % 1_009));
    line.push(toItem(2_000 + n));
    if (n % 3 === 0) line.shift();
  }

  for (let one = line.shift(); one !== undefined; one = line.shift()) left.push(one.waitsUntilMs);

  expect(left).toHaveLength(2_000 - 334);
  expect(left).toEqual(left.toSorted((a, b) => a - b));
  expect(line.length).toBe(0);
  expect(line.first).toBeUndefined();
});
