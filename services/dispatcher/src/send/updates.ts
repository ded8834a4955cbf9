import { burnsAttempt, type Verdict } from '@heliograph/core';
import {
  NO_CREDENTIAL,
  type AttemptRecord,
  type ClaimedDelivery,
  type CredentialScope,
  type DeliveryUpdate,
} from '@heliograph/db';

import type { SettledAttempt } from './attempt.ts';
import type { Gate } from './gate.ts';

/** A provider that is slower than what is owed to it is left alone for 15 to 45 s. */
export const BUSY_WAIT_MS = { least: 15_000, spread: 30_000 };

/** Where nothing can be sent for want of a credential, we look again after that. */
const CREDENTIAL_WAIT_MS = 5 * 60_000;

/** An update that burns no attempt and keeps no history. */
function toPlainUpdate(
  delivery: ClaimedDelivery,
  changes: Pick<DeliveryUpdate, 'state' | 'reason' | 'nextAttemptAt' | 'pauseId'>,
): DeliveryUpdate {
  return {
    id: delivery.id,
    leaseEpoch: delivery.leaseEpoch,
    attemptBurned: false,
    ambiguous: false,
    providerMessageId: null,
    attempt: null,
    ...changes,
  };
}

/** What the gate decided without asking a provider. */
export function toGatedUpdate(
  delivery: ClaimedDelivery,
  gate: Exclude<Gate, { action: 'send' }>,
  now: Date,
): DeliveryUpdate {
  switch (gate.action) {
    case 'finish':
      return toPlainUpdate(delivery, {
        state: gate.state,
        reason: gate.reason,
        nextAttemptAt: null,
        pauseId: null,
      });
    case 'hold':
      return toHeldUpdate(delivery, gate.pause.reason, gate.pause.id, now);
    case 'await_credential': {
      const lookAgainAt = new Date(now.getTime() + CREDENTIAL_WAIT_MS);
      return toPlainUpdate(delivery, {
        state: 'pending',
        reason: NO_CREDENTIAL,
        nextAttemptAt: lookAgainAt < delivery.expiresAt ? lookAgainAt : delivery.expiresAt,
        pauseId: null,
      });
    }
  }
}

/** More is owed to the provider than it takes: later, with no attempt burned. */
export function toBusyUpdate(
  delivery: ClaimedDelivery,
  now: Date,
  random: () => number,
): DeliveryUpdate {
  return toLaterUpdate(delivery, 'provider_busy', now, random);
}

/** Our process lacks a key that others may have: one of them may claim it later, with no attempt burned. */
export function toLockedUpdate(
  delivery: ClaimedDelivery,
  now: Date,
  random: () => number,
): DeliveryUpdate {
  return toLaterUpdate(delivery, 'secrets_key_missing', now, random);
}

function toLaterUpdate(
  delivery: ClaimedDelivery,
  reason: string,
  now: Date,
  random: () => number,
): DeliveryUpdate {
  const waitMs = BUSY_WAIT_MS.least + BUSY_WAIT_MS.spread * random();
  const again = new Date(now.getTime() + waitMs);
  return toPlainUpdate(delivery, {
    state: 'pending',
    reason,
    nextAttemptAt: again < delivery.expiresAt ? again : delivery.expiresAt,
    pauseId: null,
  });
}

/** Held by a pause until that is lifted, or the message expires. Without a pause (the credential was replaced) it is due at once. */
export function toHeldUpdate(
  delivery: ClaimedDelivery,
  reason: string,
  pauseId: number | undefined,
  now: Date,
): DeliveryUpdate {
  return toPlainUpdate(delivery, {
    state: 'pending',
    reason,
    nextAttemptAt: pauseId === undefined ? now : delivery.expiresAt,
    pauseId: pauseId ?? null,
  });
}

export function toJudgedUpdate(
  delivery: ClaimedDelivery,
  verdict: Verdict,
  pauseId: number | undefined,
  settled: SettledAttempt,
  scope: CredentialScope,
  now: Date,
): DeliveryUpdate {
  const base =
    verdict.state === 'paused'
      ? toHeldUpdate(delivery, verdict.reason, pauseId, now)
      : toPlainUpdate(delivery, {
          state: verdict.state,
          reason: verdict.state === 'sent' ? null : verdict.reason,
          nextAttemptAt: verdict.state === 'pending' ? verdict.nextAttemptAt : null,
          pauseId: null,
        });
  return {
    ...base,
    attemptBurned: burnsAttempt(settled.outcome),
    ambiguous: settled.outcome.kind === 'ambiguous',
    providerMessageId: verdict.state === 'sent' ? (verdict.providerMessageId ?? null) : null,
    attempt: toRecord(settled, scope, base.state === 'pending' ? base.nextAttemptAt : null),
  };
}

export function toRecord(
  settled: SettledAttempt,
  scope: CredentialScope,
  nextAttemptAt: Date | null,
): AttemptRecord {
  const { outcome, status } = settled;
  return {
    at: settled.startedAt.toISOString(),
    outcome: outcome.kind,
    ...(outcome.kind === 'sent' ? {} : { reason: outcome.reason }),
    ...(status === undefined ? {} : { status }),
    endpoint: settled.endpoint,
    environment: scope.environment,
    credentialVersion: scope.credentialVersion,
    latencyMs: settled.latencyMs,
    ...(nextAttemptAt === null ? {} : { nextAttemptAt: nextAttemptAt.toISOString() }),
  };
}
