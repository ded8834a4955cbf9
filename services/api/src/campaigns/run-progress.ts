import {
  DEFERRED,
  isFinalCode,
  SENDING_STATES,
  toOutcome,
  type DeliveryState,
  type Provider,
} from '@heliograph/core';
import { AMBIGUOUS, listRunTallies, TARGETED, type Db, type RunTally } from '@heliograph/db';

/** Deliveries of a run. At all times targeted = sent + failed + expired + skipped + pending. */
export interface RunCounts {
  readonly targeted: number;
  readonly sent: number;
  readonly pending: number;
  readonly failed: number;
  readonly expired: number;
  readonly skipped: number;
  /** Of those that are pending: tried already. */
  readonly retrying: number;
  /** Of any of them: once not answered by the provider, so perhaps shown twice. */
  readonly ambiguous: number;
}

/** So many deliveries ended without being sent, for that reason. */
export interface UnsentCount {
  readonly provider: Provider;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly count: number;
}

/** How far a run is. */
export interface RunProgress {
  readonly run: RunTally;
  readonly counts: Readonly<Record<Provider | 'total', RunCounts>>;
  /** The most first. */
  readonly unsent: readonly UnsentCount[];
  /** Seconds until nothing is pending, as fast as it goes now; null where nobody can tell, or nothing is sent now. */
  readonly etaSeconds: number | null;
}

/** Of the runs of these ids that exist, the latest first. */
export async function listRunProgress(
  db: Db,
  runIds: readonly string[],
): Promise<readonly RunProgress[]> {
  return (await listRunTallies(db, runIds)).map(toRunProgress);
}

/** Of a run that exists. */
export async function getRunProgress(db: Db, runId: string): Promise<RunProgress> {
  const [progress] = await listRunProgress(db, [runId]);
  if (progress === undefined) throw new Error(`the run ${runId} is gone`);
  return progress;
}

function toRunProgress(run: RunTally): RunProgress {
  const counts = { apns: toCounts(run, 'apns'), fcm: toCounts(run, 'fcm'), total: toCounts(run) };
  const unsent = run.counts
    .filter(({ code, count }) => code >= 0 && isFinalCode(code) && count > 0)
    .map(({ provider, code, count }) => {
      const { state, reason } = toOutcome(code);
      return { provider, state, reason, count };
    })
    .filter(({ state }) => state !== 'sent')
    .toSorted((a, b) => b.count - a.count || compare(toKey(a), toKey(b)));
  return { run, counts, unsent, etaSeconds: toEtaSeconds(run, counts.total.pending) };
}

/** The sums of one provider, or of all. */
function toCounts({ counts }: RunTally, provider?: Provider): RunCounts {
  const sums = { sent: 0, failed: 0, expired: 0, skipped: 0 };
  const others = { targeted: 0, retrying: 0, ambiguous: 0 };
  for (const entry of counts) {
    if (provider !== undefined && entry.provider !== provider) continue;
    if (entry.code === TARGETED) others.targeted += entry.count;
    else if (entry.code === AMBIGUOUS) others.ambiguous += entry.count;
    else if (entry.code === DEFERRED) others.retrying += entry.count;
    else {
      const { state } = toOutcome(entry.code);
      if (state !== 'pending') sums[state] += entry.count;
    }
  }
  const final = sums.sent + sums.failed + sums.expired + sums.skipped;
  return { ...others, ...sums, pending: others.targeted - final };
}

function toEtaSeconds({ state, measuredRate }: RunTally, pending: number): number | null {
  const isSending = SENDING_STATES.some((sending) => sending === state);
  return isSending && pending > 0 && measuredRate > 0 ? Math.ceil(pending / measuredRate) : null;
}

/** Any order that stays. */
function toKey({ provider, state, reason }: UnsentCount): string {
  return `${provider} ${state} ${reason}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
