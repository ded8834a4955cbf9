import { judgeRun } from './judge-run.ts';

const run = {
  state: 'running',
  canaryPercent: null,
  maxFailurePercent: 20,
  isMaterialised: true,
  isApproved: false,
  judgedSent: 0,
  judgedFailed: 0,
} as const;
const canary = { ...run, canaryPercent: 10 };
const done = { canaryDone: true };
const open = { canaryDone: false };

describe('a run', () => {
  test.each([
    ['goes on at the bound', run, { sent: 80, failed: 20, ...done }, 'go_on'],
    ['halts above it', run, { sent: 79, failed: 21, ...done }, 'halt'],
    ['goes on while few have answered', run, { sent: 0, failed: 19, ...done }, 'go_on'],
    [
      'without a bound never halts',
      { ...run, maxFailurePercent: null },
      { sent: 0, failed: 99, ...done },
      'go_on',
    ],
    [
      'with a bound of none halts at one',
      { ...run, maxFailurePercent: 0 },
      { sent: 99, failed: 1, ...done },
      'halt',
    ],
    [
      'that was resumed is judged by what came since',
      { ...run, judgedSent: 10, judgedFailed: 90 },
      { sent: 90, failed: 100, ...done },
      'go_on',
    ],
    [
      'that was resumed halts again',
      { ...run, judgedSent: 10, judgedFailed: 90 },
      { sent: 50, failed: 110, ...done },
      'halt',
    ],
    [
      'that is paused is left alone',
      { ...run, state: 'paused' as const },
      { sent: 0, failed: 99, ...done },
      'go_on',
    ],
    ['waits for its canary', canary, { sent: 5, failed: 0, ...open }, 'go_on'],
    [
      'waits for its audience',
      { ...canary, isMaterialised: false },
      { sent: 0, failed: 0, ...done },
      'go_on',
    ],
    ['goes on after a good canary', canary, { sent: 9, failed: 1, ...done }, 'pass_canary'],
    [
      'halts after a bad canary, however small',
      canary,
      { sent: 0, failed: 1, ...done },
      'halt_canary',
    ],
    [
      'halts in a canary that fails too often',
      canary,
      { sent: 70, failed: 30, ...open },
      'halt_canary',
    ],
    [
      'asks where nothing judges the canary',
      { ...canary, maxFailurePercent: null },
      { sent: 0, failed: 5, ...done },
      'wait_for_approval',
    ],
    [
      'asks no more once it is approved',
      { ...canary, isApproved: true },
      { sent: 80, failed: 20, ...done },
      'go_on',
    ],
  ] as const)('%s', (_, standing, counts, verdict) => {
    expect(judgeRun(standing, counts)).toBe(verdict);
  });
});
