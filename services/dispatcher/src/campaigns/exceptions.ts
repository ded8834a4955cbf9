import { burnsAttempt, MAX_REMEMBERED_ATTEMPTS, type DeliveryState } from '@heliograph/core';
import type { AttemptRecord, ChunkException, OwedDevice } from '@heliograph/db';

import type { SettledAttempt } from '../send/attempt.ts';

/** A delivery as it stands after an attempt that did not send it, or was not its first. */
export function toException(
  device: OwedDevice,
  state: DeliveryState,
  reason: string | null,
  { outcome }: SettledAttempt,
  record: AttemptRecord,
): ChunkException {
  const untried = toUntried(device, state, reason);
  return {
    ...untried,
    attempts: untried.attempts + (burnsAttempt(outcome) ? 1 : 0),
    ambiguousAttempts: untried.ambiguousAttempts + (outcome.kind === 'ambiguous' ? 1 : 0),
    providerMessageId: outcome.kind === 'sent' ? (outcome.providerMessageId ?? null) : null,
    history: append(untried.history, record),
  };
}

/** A delivery that ends, or waits, without another attempt. */
export function toUntried(
  device: OwedDevice,
  state: DeliveryState,
  reason: string | null,
): ChunkException {
  const { index, deviceId, userId, attempts, ambiguousAttempts, history } = device;
  return {
    index,
    deviceId,
    userId,
    state,
    reason,
    attempts,
    ambiguousAttempts,
    nextAttemptAt: null,
    providerMessageId: null,
    history: history ?? [],
  };
}

/** The last word on a delivery that was tried before; of one that never was the ledger's byte says all. */
export function toLastWord(device: OwedDevice, state: 'expired'): ChunkException | undefined {
  return device.history === null ? undefined : toUntried(device, state, state);
}

/** Bounded: the first attempt and the latest ones stay. */
function append(history: readonly AttemptRecord[], record: AttemptRecord): AttemptRecord[] {
  if (history.length < MAX_REMEMBERED_ATTEMPTS) return [...history, record];
  return [...history.slice(0, 1), ...history.slice(2), record];
}
