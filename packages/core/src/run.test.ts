import { Refusal } from './refusal.ts';
import {
  controlRun,
  RUN_CONTROLS,
  RUN_STATES,
  type RunControl,
  type RunReason,
  type RunStanding,
  type RunState,
} from './run.ts';

/** How a run stands, in words: its state, the reason, and how far it was when it was stopped. */
function standingOf(
  state: RunState,
  { reason = null, at = 'frozen', canary = 'none' }: Partial<Details> = {},
): RunStanding {
  return {
    state,
    reason,
    isStarted: at !== 'waiting',
    isMaterialised: at === 'frozen',
    awaitsApproval: canary === 'open',
  };
}

interface Details {
  readonly reason: RunReason | null;
  readonly at: 'waiting' | 'freezing' | 'frozen';
  readonly canary: 'none' | 'open';
}

const WAITING = { at: 'waiting' } as const;
const FREEZING = { at: 'freezing' } as const;
const CANARY = { canary: 'open' } as const;

/** What each control makes of the run: its state then, `approved` where it stays as it is but for that, or the words of the refusal. */
const TABLE: readonly [string, RunStanding, Record<RunControl, string>][] = [
  [
    'scheduled',
    standingOf('scheduled', WAITING),
    {
      pause: 'paused',
      resume: '! scheduled; it can not be resumed',
      cancel: 'cancelled',
      approve: '! scheduled and waits for no approval; it can not be approved',
      rate: 'scheduled',
    },
  ],
  [
    'scheduled with a canary',
    standingOf('scheduled', { ...WAITING, ...CANARY }),
    {
      pause: 'paused',
      resume: '! scheduled; it can not be resumed',
      cancel: 'cancelled',
      approve: 'scheduled, approved',
      rate: 'scheduled',
    },
  ],
  [
    'materialising',
    standingOf('materialising', FREEZING),
    {
      pause: 'paused',
      resume: '! materialising; it can not be resumed',
      cancel: 'cancelled',
      approve: '! materialising and waits for no approval; it can not be approved',
      rate: 'materialising',
    },
  ],
  [
    'materialising with a canary',
    standingOf('materialising', { ...FREEZING, ...CANARY }),
    {
      pause: 'paused',
      resume: '! materialising; it can not be resumed',
      cancel: 'cancelled',
      approve: 'materialising, approved',
      rate: 'materialising',
    },
  ],
  [
    'running',
    standingOf('running'),
    {
      pause: 'paused',
      resume: '! running; it can not be resumed',
      cancel: 'cancelled',
      approve: '! running and waits for no approval; it can not be approved',
      rate: 'running',
    },
  ],
  [
    'running its canary',
    standingOf('running', CANARY),
    {
      pause: 'paused',
      resume: '! running; it can not be resumed',
      cancel: 'cancelled',
      approve: 'running, approved',
      rate: 'running',
    },
  ],
  [
    'paused before its start',
    standingOf('paused', { reason: 'operator', ...WAITING }),
    {
      pause: '! paused; it can not be paused',
      resume: 'scheduled',
      cancel: 'cancelled',
      approve: '! paused and waits for no approval; it can not be approved',
      rate: 'paused',
    },
  ],
  [
    'paused while it materialised',
    standingOf('paused', { reason: 'operator', ...FREEZING }),
    {
      pause: '! paused; it can not be paused',
      resume: 'materialising',
      cancel: 'cancelled',
      approve: '! paused and waits for no approval; it can not be approved',
      rate: 'paused',
    },
  ],
  [
    'paused while it ran',
    standingOf('paused', { reason: 'operator' }),
    {
      pause: '! paused; it can not be paused',
      resume: 'running',
      cancel: 'cancelled',
      approve: '! paused and waits for no approval; it can not be approved',
      rate: 'paused',
    },
  ],
  [
    'paused by an operator while its canary ran',
    standingOf('paused', { reason: 'operator', ...CANARY }),
    {
      pause: '! paused; it can not be paused',
      resume: 'running',
      cancel: 'cancelled',
      approve: 'paused, approved',
      rate: 'paused',
    },
  ],
  [
    'paused by an operator before its start, with a canary',
    standingOf('paused', { reason: 'operator', ...WAITING, ...CANARY }),
    {
      pause: '! paused; it can not be paused',
      resume: 'scheduled',
      cancel: 'cancelled',
      approve: 'paused, approved',
      rate: 'paused',
    },
  ],
  [
    'paused until its canary is approved',
    standingOf('paused', { reason: 'canary', ...CANARY }),
    {
      pause: '! paused; it can not be paused',
      resume: '! paused until its canary is approved; it can not be resumed',
      cancel: 'cancelled',
      approve: 'running, approved',
      rate: 'paused',
    },
  ],
  [
    'halted while it ran',
    standingOf('halted', { reason: 'failure_rate' }),
    {
      pause: '! halted; it can not be paused',
      resume: 'running',
      cancel: 'cancelled',
      approve: '! halted; it can not be approved',
      rate: 'halted',
    },
  ],
  [
    'halted while it materialised',
    standingOf('halted', { reason: 'failure_rate', ...FREEZING }),
    {
      pause: '! halted; it can not be paused',
      resume: 'materialising',
      cancel: 'cancelled',
      approve: '! halted; it can not be approved',
      rate: 'halted',
    },
  ],
  [
    'halted by its canary',
    standingOf('halted', { reason: 'canary_failure_rate', ...CANARY }),
    {
      pause: '! halted; it can not be paused',
      resume: 'running, approved',
      cancel: 'cancelled',
      approve: '! halted; it can not be approved',
      rate: 'halted',
    },
  ],
  ...(['completed', 'cancelled'] as const).map(
    (state): [string, RunStanding, Record<RunControl, string>] => [
      state,
      standingOf(state, CANARY),
      {
        pause: `! ${state}; it can not be paused`,
        resume: `! ${state}; it can not be resumed`,
        cancel: `! ${state}; it can not be cancelled`,
        approve: `! ${state}; it can not be approved`,
        rate: `! ${state}; it can not be given another rate`,
      },
    ],
  ),
];

const CASES = TABLE.flatMap(([name, standing, expected]) =>
  RUN_CONTROLS.map((control) => [name, control, expected[control], standing] as const),
);

function outcomeOf(standing: RunStanding, control: RunControl): string {
  try {
    const { state, approves } = controlRun(standing, control);
    return approves ? `${state}, approved` : state;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'conflict')
      return error.message.replace(/^The run is (.*)\.$/, '! $1');
    throw error;
  }
}

describe('a run', () => {
  test.each(CASES)('that is %s, on %s: %s', (_name, control, expected, standing) => {
    expect(outcomeOf(standing, control)).toBe(expected);
  });

  test('of every state is in that table', () => {
    const states = TABLE.map(([, { state }]) => state);

    expect(RUN_STATES.filter((state) => !states.includes(state))).toEqual([]);
  });

  test.each(CASES)('that is %s has after %s the reason that fits its state', (...given) => {
    const [, control, expected, standing] = given;
    if (expected.startsWith('!')) return;

    const { state, reason } = controlRun(standing, control);

    if (control === 'pause') expect(reason).toBe('operator');
    else if (state === standing.state) expect(reason).toBe(standing.reason);
    else expect(reason).toBeNull();
  });
});
