import { InFlight } from './in-flight.ts';

test('work beyond the limit waits its turn, in order', async () => {
  const inFlight = new InFlight(2);
  const started: number[] = [];
  const finish: (() => void)[] = [];
  const work = (n: number) => () => {
    started.push(n);
    return new Promise<number>((resolve) => finish.push(() => resolve(n)));
  };

  const results = [1, 2, 3, 4].map((n) => inFlight.run(work(n)));
  await Promise.resolve();
  expect(started).toEqual([1, 2]);
  expect(inFlight.size).toBe(4);
  finish[1]?.();
  await results[1];
  await Promise.resolve();
  expect(started).toEqual([1, 2, 3]);

  finish[0]?.();
  finish[2]?.();
  await results[0];
  await results[2];
  finish[3]?.();
  expect(await Promise.all(results)).toEqual([1, 2, 3, 4]);
});

test('work that throws leaves its place', async () => {
  const inFlight = new InFlight(1);

  await expect(inFlight.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');

  expect(await inFlight.run(() => Promise.resolve('yes'))).toBe('yes');
  expect(inFlight.size).toBe(0);
});

test('is drained when nothing runs and nothing waits', async () => {
  const inFlight = new InFlight(1);
  const done: string[] = [];
  const work = (name: string) => async () => {
    await Promise.resolve();
    done.push(name);
  };
  void inFlight.run(work('first'));
  void inFlight.run(work('second'));

  await inFlight.drained();

  expect(done).toEqual(['first', 'second']);
  await new InFlight(1).drained();
});
