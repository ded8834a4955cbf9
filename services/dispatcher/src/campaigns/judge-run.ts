import { isSending } from './run-watch.ts';
import type { OpenRun } from '@heliograph/db';

/** What is to be done with a run for how many of its deliveries failed. */
export type RunVerdict = 'go_on' | 'wait_for_approval' | 'pass_canary' | 'halt' | 'halt_canary';

/** Fewer answers say nothing about the others. */
const MIN_SAMPLE = 20;

/** `sent` and `failed` count the whole run; `canaryDone`: every delivery of its canary is final. */
export function judgeRun(
  run: Pick<
    OpenRun,
    'state' | 'canaryPercent' | 'maxFailurePercent' | 'isMaterialised' | 'isApproved'
  > & { readonly judgedSent: number; readonly judgedFailed: number },
  {
    sent,
    failed,
    canaryDone,
  }: { readonly sent: number; readonly failed: number; readonly canaryDone: boolean },
): RunVerdict {
  if (!isSending(run.state)) return 'go_on';
  const [newlySent, newlyFailed] = [sent - run.judgedSent, failed - run.judgedFailed];
  const answers = newlySent + newlyFailed;
  const failsTooOften =
    run.maxFailurePercent !== null && newlyFailed * 100 > run.maxFailurePercent * answers;

  const inCanary = run.canaryPercent !== null && !run.isApproved;
  if (inCanary && run.isMaterialised && canaryDone) {
    if (run.maxFailurePercent === null) return 'wait_for_approval';
    return failsTooOften ? 'halt_canary' : 'pass_canary';
  }
  if (!failsTooOften || answers < MIN_SAMPLE) return 'go_on';
  return inCanary ? 'halt_canary' : 'halt';
}
