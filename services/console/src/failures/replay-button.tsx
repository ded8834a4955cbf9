import { DialogButton } from '../layout/dialog-button.tsx';
import { useMay } from '../session/session-gate.tsx';
import type { Cause, Period } from './cause.ts';
import { ReplayDialog } from './replay-dialog.tsx';

/** Which failures; those of one app at a time. */
export type ReplayFilter = Pick<Cause, 'appId'> & Partial<Cause>;

interface ReplayButtonProps {
  readonly label: string;
  /** Says of what, too. */
  readonly title: string;
  readonly filter: ReplayFilter;
  readonly period: Period;
  readonly disabled?: boolean;
}

/** Offers to send failures again to whom may send so. */
export function ReplayButton(props: ReplayButtonProps) {
  const { label, title, filter, period, disabled = false } = props;
  const maySend = useMay('send');
  const maySendCampaigns = useMay('campaigns:send');
  const may = { message: maySend, campaign: maySendCampaigns };
  const isOffered = filter.lane === undefined ? maySend || maySendCampaigns : may[filter.lane];
  if (!isOffered) return null;
  return (
    <DialogButton label={label} title={title} size="xs" variant="light" disabled={disabled}>
      {(close) => <ReplayDialog filter={filter} period={period} close={close} />}
    </DialogButton>
  );
}
