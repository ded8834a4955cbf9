import { ProxyHistory } from './history.ts';

function open() {
  let nowMs = 0;
  const history = new ProxyHistory(() => nowMs);
  const fail = () => history.noteFailure(history.begin());
  return { history, fail, pass: (ms: number) => (nowMs += ms) };
}

const times = <T>(count: number, work: () => T) => Array.from({ length: count }, work);

describe('the history of a proxy', () => {
  test('gives up at the fifth connection in a row that came to nothing', () => {
    const { fail } = open();

    expect(times(6, fail)).toEqual([false, false, false, false, true, true]);
  });

  test('takes what failed together for one failure', () => {
    const { history } = open();
    const begun = times(8, () => history.begin());

    expect(begun.map((one) => history.noteFailure(one))).toEqual(begun.map(() => false));
    expect(history.begin()).toBe(1);
  });

  test('begins to count anew with every answer', () => {
    const { history, fail } = open();
    times(4, fail);

    history.noteAnswer(false);

    expect(times(5, fail)).toEqual([false, false, false, false, true]);
  });

  test('never gives up on a proxy that has taken a push', () => {
    const { history, fail } = open();
    history.noteAnswer(true);
    history.noteAnswer(false);

    expect(history.hasSucceeded).toBe(true);
    expect(times(20, fail).includes(true)).toBe(false);
  });

  test('gives up on a name that is not found for five minutes', () => {
    const { history, pass } = open();
    history.noteAnswer(true);

    const first = history.noteNotFound();
    pass(299_999);
    const early = history.noteNotFound();
    pass(1);

    expect([first, early, history.noteNotFound()]).toEqual([false, false, true]);
  });

  test.each([
    ['an answer', (history: ProxyHistory) => history.noteAnswer(false)],
    ['another failure', (history: ProxyHistory) => history.noteFailure(history.begin())],
  ])('begins these five minutes anew after %s', (_, found) => {
    const { history, pass } = open();
    history.noteNotFound();
    pass(300_000);

    found(history);

    expect(history.noteNotFound()).toBe(false);
  });
});
