import type { Failure } from '@heliograph/client';

/** Why deliveries failed, and which: what the list of failures has a row for. */
export interface Cause extends Pick<Failure, 'platform' | 'lane' | 'state' | 'reason'> {
  readonly appId: string;
}

const PLATFORMS = ['ios', 'android'] as const;
const LANES = ['message', 'campaign'] as const;
const STATES = ['failed', 'expired'] as const;
const PERIODS = { day: 24, week: 7 * 24 } as const;
const HOUR_MS = 3_600_000;

export type Period = keyof typeof PERIODS;

/** What the list is narrowed down to. */
export interface FailureFilter {
  readonly appId?: string;
  readonly platform?: Failure['platform'];
  readonly lane?: Failure['lane'];
}

/** The parameters of the address that open a cause. */
export function toCauseAddress(
  { appId, platform, lane, state, reason }: Omit<Cause, 'appId'> & Pick<Failure, 'appId'>,
  period: Period = 'day',
): URLSearchParams {
  return new URLSearchParams({ period, appId: String(appId), platform, lane, state, reason });
}

/** The cause that the address opens; undefined where it shows the list. */
export function readCause(parameters: URLSearchParams): Cause | undefined {
  const { appId, platform, lane } = readFilter(parameters);
  const state = STATES.find((one) => one === parameters.get('state'));
  const reason = parameters.get('reason');
  if (appId === undefined || platform === undefined || lane === undefined) return undefined;
  return state === undefined || reason === null
    ? undefined
    : { appId, platform, lane, state, reason };
}

export function readFilter(parameters: URLSearchParams): FailureFilter {
  const appId = parameters.get('appId')?.trim() ?? '';
  const platform = PLATFORMS.find((one) => one === parameters.get('platform'));
  const lane = LANES.find((one) => one === parameters.get('lane'));
  return {
    ...(appId === '' ? {} : { appId }),
    ...(platform === undefined ? {} : { platform }),
    ...(lane === undefined ? {} : { lane }),
  };
}

export function readPeriod(parameters: URLSearchParams): Period {
  return parameters.get('period') === 'week' ? 'week' : 'day';
}

/** When the period began, as ISO 8601. */
export function toSince(period: Period, nowMs: number): string {
  return new Date(nowMs - PERIODS[period] * HOUR_MS).toISOString();
}
