import { afterRequeues, type Outcome, type Requeue } from '@heliograph/core';
import type { Attempt, Push, PushProvider } from '@heliograph/providers';

/** An attempt with its requeues spent: its outcome goes into the ledger. */
export interface SettledAttempt extends Attempt {
  readonly outcome: Exclude<Outcome, Requeue>;
  readonly startedAt: Date;
  readonly latencyMs: number;
}

/**
 * Hands the push to the provider, again at once while it is provably unprocessed. Never rejects, or one bug would lose the answers of
 * everything sent with it: a bug counts as ambiguous, since nobody knows how far the push came.
 */
export async function attempt(
  provider: PushProvider,
  push: Push,
  signal: AbortSignal,
  onBug: (error: unknown) => void,
): Promise<SettledAttempt> {
  const startedAt = new Date();
  const startedMs = performance.now();
  for (let requeues = 0; ; requeues += 1) {
    const answer = await send(provider, push, signal, onBug);
    const outcome = afterRequeues(answer.outcome, requeues);
    if (outcome.kind === 'requeue') continue;
    const latencyMs = Math.round((performance.now() - startedMs) * 10) / 10;
    return { ...answer, outcome, startedAt, latencyMs };
  }
}

async function send(
  provider: PushProvider,
  push: Push,
  signal: AbortSignal,
  onBug: (error: unknown) => void,
): Promise<Attempt> {
  try {
    return await provider.send(push, signal);
  } catch (error) {
    onBug(error);
    return { outcome: { kind: 'ambiguous', reason: 'internal_error' }, endpoint: '' };
  }
}
