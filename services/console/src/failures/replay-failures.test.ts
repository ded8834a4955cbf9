import type { FailuresReplayAnswer, ReplayFailures } from '@heliograph/client';

import { replayAll, type ReplayTally } from './replay-failures.ts';

const REQUEST = { appId: '1', since: '2026-11-26T08:00:00Z' };

const answer = (replayed: number, over: number, next: string | null): FailuresReplayAnswer => ({
  dryRun: false,
  lanes: ['message'],
  replayed,
  left: { ambiguous: 0, unreachable: 0, over, cancelled: 0 },
  more: next !== null,
  next,
});

test('goes on from where each answer ended, with the same filter, and sums up', async () => {
  const asked: ReplayFailures[] = [];
  const answers = [answer(10, 1, 'a'), answer(0, 0, 'b'), answer(5, 2, null)];
  const tallies: ReplayTally[] = [];

  const ask = async (request: ReplayFailures) => {
    asked.push(request);
    return answers[asked.length - 1] ?? answer(0, 0, null);
  };
  for await (const tally of replayAll(ask, REQUEST, new AbortController().signal))
    tallies.push(tally);

  expect(asked).toEqual([REQUEST, { ...REQUEST, after: 'a' }, { ...REQUEST, after: 'b' }]);
  expect(tallies.map(({ replayed, left }) => [replayed, left.over])).toEqual([
    [10, 1],
    [10, 1],
    [15, 3],
  ]);
});

test('asks no more once nobody looks', async () => {
  const leaving = new AbortController();
  let asked = 0;
  const ask = async () => {
    asked += 1;
    leaving.abort();
    return answer(1, 0, 'a');
  };

  const going = replayAll(ask, REQUEST, leaving.signal);
  await expect(going.next()).resolves.toMatchObject({ value: { replayed: 1 } });
  await expect(going.next()).rejects.toThrow('aborted');
  expect(asked).toBe(1);
});

test('comes to an end where a campaign stands still, and says that there is more', async () => {
  jest.useFakeTimers();
  try {
    let asked = 0;
    const ask = async () => {
      asked += 1;
      return answer(asked === 1 ? 3 : 0, 0, 'busy');
    };
    const seeAll = async () => {
      let last: ReplayTally | undefined;
      for await (const tally of replayAll(ask, REQUEST, new AbortController().signal)) last = tally;
      return last;
    };

    const seen = seeAll();
    await jest.advanceTimersByTimeAsync(60_000);
    await expect(seen).resolves.toMatchObject({ replayed: 3, more: true });
    expect(asked).toBe(7);
  } finally {
    jest.useRealTimers();
  }
});
