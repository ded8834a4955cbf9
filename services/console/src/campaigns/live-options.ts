import type { SendLiveCampaign } from '@heliograph/client';

/** What is in the fields; what is empty is not wanted. */
export interface LiveFields {
  /** As `datetime-local` has it, in the time of the browser. */
  readonly startAt: string;
  readonly ratePerSecond: number | string;
  readonly canaryPercent: number | string;
  readonly maxFailurePercent: number | string;
  readonly resend: boolean;
}

export const NO_OPTIONS: LiveFields = {
  startAt: '',
  ratePerSecond: '',
  canaryPercent: '',
  maxFailurePercent: '',
  resend: false,
};

export function toOptions(fields: LiveFields): SendLiveCampaign {
  return {
    startAt: fields.startAt === '' ? undefined : new Date(fields.startAt).toISOString(),
    ratePerSecond: numberOf(fields.ratePerSecond),
    canaryPercent: numberOf(fields.canaryPercent),
    maxFailurePercent: numberOf(fields.maxFailurePercent),
    resend: fields.resend || undefined,
  };
}

function numberOf(value: number | string): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
