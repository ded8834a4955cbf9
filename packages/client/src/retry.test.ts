import { HeliographError, type Failure } from './error.ts';
import { parseRetryAfter } from './judge.ts';
import { mayRepeat, toWaitMs, withRetries, type Attempt, type RetriedCall } from './retry.ts';

const UNCLEAR: Attempt<string> = {
  isAnswered: false,
  failure: { code: 'connection', message: 'lost', kind: 'unclear' },
};
const DONE: Attempt<string> = { isAnswered: true, answer: 'done' };

/** A call on a clock that moves by what is slept, and by what attempts take. */
function makeCall(given: Partial<RetriedCall> = {}) {
  let now = 1000;
  const waits: number[] = [];
  const timing = {
    now: () => now,
    random: () => 0.5,
    sleep: (ms: number) => {
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
  const call: RetriedCall = { call: 'GET /', repeat: 'safe', timing, ...given };
  return { call, waits, pass: (ms: number) => (now += ms) };
}

/** Goes through these ends, the last one for ever. */
function attempts(...ends: readonly Attempt<string>[]) {
  const timeouts: number[] = [];
  const attempt = ({ timeoutMs }: { timeoutMs: number }) => {
    timeouts.push(timeoutMs);
    return Promise.resolve(ends[Math.min(timeouts.length, ends.length) - 1] ?? DONE);
  };
  return { attempt, timeouts };
}

describe('a call', () => {
  test('pauses longer each time, and makes five attempts', async () => {
    const { call, waits } = makeCall();
    const { attempt, timeouts } = attempts(UNCLEAR);

    await expect(withRetries(call, attempt)).rejects.toThrow(HeliographError);

    expect(waits).toEqual([250, 500, 1000, 2000]);
    expect(timeouts).toEqual(Array.from({ length: 5 }, () => 15_000));
  });

  test('ends by its deadline: the last attempt has what is left, and no pause goes beyond it', async () => {
    const { call, waits, pass } = makeCall({ deadlineMs: 20_000, maxAttempts: 100 });
    const timeouts: number[] = [];

    const failed = withRetries(call, ({ timeoutMs }) => {
      timeouts.push(timeoutMs);
      pass(timeoutMs);
      return Promise.resolve(UNCLEAR);
    });

    await expect(failed).rejects.toMatchObject({ attempts: 2, mayRetry: true });
    expect(timeouts).toEqual([15_000, 4750]);
    expect(waits).toEqual([250]);
  });

  test('says whether an earlier attempt may have been done', async () => {
    const { call } = makeCall({ repeat: 'keyed' });
    const seen: boolean[] = [];

    await withRetries(call, ({ mayBeDone }) => {
      seen.push(mayBeDone);
      return Promise.resolve(seen.length < 3 ? UNCLEAR : DONE);
    });

    expect(seen).toEqual([false, true, true]);
  });
});

describe('what is repeated', () => {
  test.each([
    ['refused', 'safe', false],
    ['refused', 'keyed', false],
    ['refused', 'once', false],
    ['broken', 'safe', false],
    ['broken', 'keyed', false],
    ['broken', 'once', false],
    ['not_done', 'safe', true],
    ['not_done', 'keyed', true],
    ['not_done', 'once', true],
    ['unclear', 'safe', true],
    ['unclear', 'keyed', true],
    ['unclear', 'once', false],
  ] as const)('of %s and %s: %s', (kind, repeat, expected) => {
    const failure: Failure = { code: 'x', message: 'x', kind };

    expect(mayRepeat(failure, repeat)).toBe(expected);
  });
});

describe('a pause', () => {
  const failure: Failure = { code: 'x', message: 'x', kind: 'unclear' };

  test.each([
    [1, 0, 0],
    [1, 0.999, 499.5],
    [3, 0.5, 1000],
    [20, 0.5, 5000],
    [2000, 0.5, 5000],
  ])('after %i attempts, at chance %d, is %d ms', (made, chance, ms) => {
    expect(toWaitMs(failure, made, { random: () => chance })).toBeCloseTo(ms, 0);
  });

  test('comes after what the server asks for', () => {
    const asked = { ...failure, retryAfterMs: 3000 };

    expect(toWaitMs(asked, 1, { random: () => 0 })).toBe(3000);
    expect(toWaitMs(asked, 1, { random: () => 0.5 })).toBe(3250);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  test.each([
    [null, undefined],
    ['0', 0],
    ['12', 12_000],
    ['Thu, 01 Jan 2026 00:00:07 GMT', 7000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
    ['-1x', undefined],
  ])('of %s is %s ms', (header, ms) => {
    expect(parseRetryAfter(header, now)).toBe(ms);
  });
});
