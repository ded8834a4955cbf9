import { Turns } from './turns.ts';

/** Work that ends when told. */
function makeWork() {
  const ends: (() => void)[] = [];
  const work = () => new Promise<string>((resolve) => ends.push(() => resolve('done')));
  return { work, ends };
}

describe('turns at a provider', () => {
  test('come in order, so many at a time', async () => {
    const turns = new Turns(1);
    const order: number[] = [];
    const run = (n: number) =>
      turns.run(() => {
        order.push(n);
        return Promise.resolve(n);
      });

    expect(await Promise.all([run(1), run(2), run(3)])).toEqual([1, 2, 3]);
    expect(order).toEqual([1, 2, 3]);
  });

  test('are not waited for without end: a silent provider holds no more than it can take', async () => {
    const turns = new Turns(2, 50);
    const { work, ends } = makeWork();
    const first = [turns.run(work), turns.run(work)];

    expect(await Promise.all([turns.run(work), turns.run(work)])).toEqual(['busy', 'busy']);
    // By now it is known to be slow: a refill may wait, the rest is sent away at once.
    const refill = [turns.run(work), turns.run(work)];
    expect(await turns.run(work)).toBe('busy');

    ends.forEach((end) => end());
    await new Promise((resolve) => setTimeout(resolve, 10));
    ends.slice(2).forEach((end) => end());
    expect(await Promise.all([...first, ...refill])).toEqual(Array(4).fill('done'));
    expect(await turns.run(() => Promise.resolve('free'))).toBe('free');
  });

  test('go on when work fails', async () => {
    const turns = new Turns(1);
    await expect(turns.run(() => Promise.reject(new Error('bug')))).rejects.toThrow('bug');
    expect(await turns.run(() => Promise.resolve('next'))).toBe('next');
  });
});
