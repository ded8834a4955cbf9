import type { RequestPermits } from '@heliograph/queue';

import { createRequestLimit } from './request-limit.ts';

/** A limit over a bucket that answers so, one answer after the other; the last one again and again. */
function setUp(...answers: readonly (RequestPermits | Error)[]) {
  const wanted: number[] = [];
  const errors: unknown[] = [];
  let at = 0;
  const limit = createRequestLimit({
    rate: {
      async take(_name, _perSecond, count) {
        const answer = answers[Math.min(wanted.length, answers.length - 1)];
        wanted.push(count);
        if (answer instanceof Error || answer === undefined) throw answer;
        return answer;
      },
    },
    onError: (error) => void errors.push(error),
    now: () => at,
  });
  return { limit, wanted, errors, pass: (ms: number) => (at += ms) };
}

const GRANTED = { granted: 2, waitMs: 0, left: 90 };
const EMPTY = { granted: 0, waitMs: 250, left: 0 };

async function takeAll(limit: ReturnType<typeof setUp>['limit'], times: number) {
  const verdicts = [];
  for (let n = 0; n < times; n += 1) verdicts.push(await limit.take('k', 100));
  return verdicts;
}

describe('the request limit', () => {
  test('fetches a fiftieth of a second at a time, and asks again when that is used', async () => {
    const { limit, wanted } = setUp(GRANTED);

    const verdicts = await takeAll(limit, 4);

    expect(wanted).toEqual([2, 2]);
    expect(verdicts.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 91],
      [true, 90],
      [true, 91],
      [true, 90],
    ]);
  });

  test('refuses what comes before there is a permit again, without asking', async () => {
    const { limit, wanted, pass } = setUp(EMPTY, GRANTED);

    const verdicts = await takeAll(limit, 3);
    pass(250);
    const later = await limit.take('k', 100);

    expect(verdicts.map(({ allowed }) => allowed)).toEqual([false, false, false]);
    expect(verdicts[0]).toEqual({ allowed: false, limit: 100, remaining: 0, resetMs: 250 });
    expect(later.allowed).toBe(true);
    expect(wanted.length).toBe(2);
  });

  test('gives up permits that were not used for a second', async () => {
    const { limit, wanted, pass } = setUp(GRANTED);
    await limit.take('k', 100);

    pass(1000);
    await limit.take('k', 100);

    expect(wanted.length).toBe(2);
  });

  test('asks once for those who come at the same time', async () => {
    const { limit, wanted } = setUp({ granted: 3, waitMs: 0, left: 0 }, EMPTY);

    const verdicts = await Promise.all([1, 2, 3, 4].map(async () => limit.take('k', 100)));

    expect(wanted.length).toBe(2);
    expect(verdicts.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
  });

  test('allows everything while Redis does not answer, and does not ask it for every request', async () => {
    const { limit, wanted, errors, pass } = setUp(new Error('away'), new Error('away'), EMPTY);

    const verdicts = await takeAll(limit, 10);
    pass(1000);
    verdicts.push(...(await takeAll(limit, 10)));
    pass(1000);
    const back = await limit.take('k', 100);

    expect(verdicts.every(({ allowed }) => allowed)).toBe(true);
    expect(errors.length).toBe(2);
    expect(wanted.length).toBe(3);
    expect(back.allowed).toBe(false);
  });

  test('waits for a Redis that says nothing no longer than a moment', async () => {
    const limit = createRequestLimit({
      rate: { take: () => new Promise(() => undefined) },
      onError: () => undefined,
    });

    expect(await limit.take('k', 100)).toMatchObject({ allowed: true });
  });

  test.each([
    [0.5, 1],
    [3, 1],
    [1_000_000, 200],
  ])('at %d a second fetches %d at once', async (perSecond, expected) => {
    const { limit, wanted } = setUp(GRANTED);

    await limit.take('k', perSecond);

    expect(wanted).toEqual([expected]);
  });
});
