import { afterRequeues, type Outcome, type Requeue } from '@heliograph/core';
import type { Attempt, Push, PushProvider } from '@heliograph/providers';

/** An attempt with its requeues spent: its outcome goes into the ledger. */
export interface SettledAttempt extends Attempt {
  readonly outcome: Exclude<Outcome, Requeue>;
  readonly startedAt: Date;
  readonly latencyMs: number;
}

export interface AttemptOptions {
  /** Asked before the push goes again: each try may take the whole deadline, and the lease is for one. */
  readonly mayGoOn: () => boolean;
  readonly onBug: (error: unknown) => void;
}

/**
 * Hands the push to the provider, again at once while it is provably unprocessed; `unsent` where it may not go on. Never rejects, or
 * one bug would lose the answers of everything sent with it: a bug counts as ambiguous, since nobody knows how far the push came.
 */
export async function attempt(
  provider: Pick<PushProvider, 'send'>,
  push: Push,
  { mayGoOn, onBug }: AttemptOptions,
): Promise<SettledAttempt | 'unsent'> {
  const startedAt = new Date();
  const startedMs = performance.now();
  for (let requeues = 0; ; requeues += 1) {
    const answer = await send(provider, push, onBug);
    const outcome = afterRequeues(answer.outcome, requeues);
    if (outcome.kind === 'requeue') {
      if (!mayGoOn()) return 'unsent';
      continue;
    }
    const latencyMs = Math.round((performance.now() - startedMs) * 10) / 10;
    return { ...answer, outcome: toStorable(outcome), startedAt, latencyMs };
  }
}

/** A provider's words come from the network: what they are goes into the ledger, how long they are and what they hide does not. */
export function toStorable(outcome: SettledAttempt['outcome']): SettledAttempt['outcome'] {
  if (outcome.kind !== 'sent') return { ...outcome, reason: toStorableText(outcome.reason) };
  const { providerMessageId } = outcome;
  if (providerMessageId === undefined) return outcome;
  return { ...outcome, providerMessageId: toStorableText(providerMessageId) };
}

const MAX_TEXT = 200;

/** PostgreSQL takes no NUL and no half of a surrogate pair, and logs no line breaks. */
function toStorableText(text: string): string {
  return text.slice(0, MAX_TEXT).replaceAll(/[\p{Cc}\p{Cs}]/gu, '\ufffd');
}

async function send(
  provider: Pick<PushProvider, 'send'>,
  push: Push,
  onBug: (error: unknown) => void,
): Promise<Attempt> {
  try {
    return await provider.send(push);
  } catch (error) {
    onBug(error);
    return { outcome: { kind: 'ambiguous', reason: 'internal_error' }, endpoint: '' };
  }
}
