import { showProgress } from './progress.ts';

const STEP = { name: 'devices', total: 2_000, done: 0 };

/** What is written, with a clock that a test sets. */
function open(isTerminal: boolean, step = STEP) {
  let written = '';
  let seconds = 0;
  const progress = showProgress(
    { write: (text) => (written += text), isTerminal, now: () => new Date(seconds * 1000) },
    step,
  );
  return {
    progress,
    passes: (more: number) => (seconds += more),
    get written() {
      return written;
    },
  };
}

describe('showProgress', () => {
  test('draws a bar over itself on a terminal', () => {
    const shown = open(true);

    shown.passes(1);
    shown.progress.advance(500);
    shown.passes(0.01);
    shown.progress.advance(500);
    shown.passes(0.99);
    shown.progress.advance(500);
    shown.progress.end();

    expect(shown.written.split('\r\u001b[K')).toEqual([
      '',
      '[######------------------] devices: 500 of 2000 rows, 25 %, 500/s, 3 s to go',
      '[##################------] devices: 1500 of 2000 rows, 75 %, 750/s, 1 s to go',
      '[########################] devices: 1500 of 1500 rows, 100 %, 750/s\n',
    ]);
  });

  test('writes a line now and then elsewhere', () => {
    const shown = open(false);

    for (let n = 0; n < 20; n += 1) {
      shown.passes(1);
      shown.progress.advance(50);
    }
    shown.progress.end();

    expect(shown.written).toBe(
      [
        'devices: 500 of 2000 rows, 25 %, 50/s, 30 s to go',
        'devices: 1000 of 2000 rows, 50 %, 50/s, 20 s to go',
        'devices: 1000 of 1000 rows, 100 %, 50/s',
        '',
      ].join('\n'),
    );
  });

  test('does not count what a process before did as its own speed', () => {
    const shown = open(true, { ...STEP, done: 1_000 });

    shown.passes(10);
    shown.progress.advance(100);

    expect(shown.written).toContain('1100 of 2000 rows, 55 %, 10/s, 90 s to go');
  });

  test('has an end where nothing was to do, and where more came than was counted', () => {
    const empty = open(true, { name: 'inbox', total: 0, done: 0 });
    const more = open(true, { name: 'inbox', total: 10, done: 0 });

    empty.progress.end();
    more.passes(1);
    more.progress.advance(20);

    expect(empty.written).toContain('] inbox: 0 of 0 rows, 100 %\n');
    expect(more.written).toContain('] inbox: 20 of 10 rows, 100 %, 20/s');
  });
});
