import { Refusal } from './refusal.ts';

/*
 * The life of a run: one live send of a campaign.
 *
 *   scheduled ── materialising ── running ── completed    nothing is owed any more
 *       │              │           │  │
 *       └──────────────┴── paused ─┘  └───── halted       it failed too often, or its time was over while it was paused
 *                             │                 │
 *                             └── cancelled ────┘         what was owed is skipped
 *
 * While it materialises, its audience is being frozen and the first chunks are sent already. Every state but completed and cancelled
 * can be paused, resumed or cancelled as `control` says. A run that waits for the approval of its canary is paused, too.
 */
export const RUN_STATES = [
  'scheduled',
  'materialising',
  'running',
  'paused',
  'completed',
  'cancelled',
  'halted',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** States in which chunks are sent. */
export const SENDING_STATES = ['materialising', 'running'] as const satisfies readonly RunState[];

/** Why a run is paused or halted. */
export const RUN_REASONS = [
  'operator',
  'canary',
  'failure_rate',
  'canary_failure_rate',
  'expired',
] as const;
export type RunReason = (typeof RUN_REASONS)[number];

export const RUN_CONTROLS = ['pause', 'resume', 'cancel', 'approve', 'rate'] as const;
export type RunControl = (typeof RUN_CONTROLS)[number];

/** What decides whether a run may be controlled. */
export interface RunStanding {
  readonly state: RunState;
  readonly reason: RunReason | null;
  /** Its time has come: the audience is being frozen, or is. */
  readonly isStarted: boolean;
  readonly isMaterialised: boolean;
  /** A canary was asked for, and nobody has approved it yet. */
  readonly awaitsApproval: boolean;
}

/** What a control changes. */
export interface RunChange {
  readonly state: RunState;
  readonly reason: RunReason | null;
  /** The rest of the audience may be sent, whatever the canary shows. */
  readonly approves: boolean;
}

/** What the control does to the run. Refuses one that makes no sense in its state, naming that. */
export function controlRun(run: RunStanding, control: RunControl): RunChange {
  const { state, reason } = run;
  const isOver = state === 'completed' || state === 'cancelled';
  const wrong = (hint = '') =>
    new Refusal('conflict', `The run is ${state}${hint}; it can not be ${PASSIVES[control]}.`);

  switch (control) {
    case 'pause':
      if (isOver || state === 'paused' || state === 'halted') throw wrong();
      return { state: 'paused', reason: 'operator', approves: false };
    case 'resume':
      if (state === 'paused' && reason === 'canary') throw wrong(' until its canary is approved');
      if (state !== 'paused' && state !== 'halted') throw wrong();
      // Whoever resumes what failed too often in its canary has seen it.
      return { state: toSending(run), reason: null, approves: reason === 'canary_failure_rate' };
    case 'cancel':
      if (isOver) throw wrong();
      return { state: 'cancelled', reason: null, approves: false };
    case 'approve':
      if (isOver || state === 'halted') throw wrong();
      if (!run.awaitsApproval) throw wrong(' and waits for no approval');
      return reason === 'canary'
        ? { state: toSending(run), reason: null, approves: true }
        : { state, reason, approves: true };
    case 'rate':
      if (isOver) throw wrong();
      return { state, reason, approves: false };
  }
}

const PASSIVES: Readonly<Record<RunControl, string>> = {
  pause: 'paused',
  resume: 'resumed',
  cancel: 'cancelled',
  approve: 'approved',
  rate: 'given another rate',
};

function toSending({ isStarted, isMaterialised }: RunStanding): RunState {
  if (!isStarted) return 'scheduled';
  return isMaterialised ? 'running' : 'materialising';
}
