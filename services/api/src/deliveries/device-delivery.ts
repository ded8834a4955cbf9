import { toOutcome, toRunDeliveryId } from '@heliograph/core';
import type { MessageDelivery, RunDelivery } from '@heliograph/db';

import { toDeliveryStatus, type DeliveryStatus } from '../messages/find-message-status.ts';

/** A delivery, and which device it is for. */
export interface DeviceDelivery extends DeliveryStatus {
  readonly deviceId: number;
  /** Whom it was for; null where nothing says it any more. */
  readonly userId: string | null;
  /** Null where the device is gone, or somebody else's by now. */
  readonly activationId: string | null;
}

/** A delivery of a message. */
export function toMessageDevice(row: MessageDelivery): DeviceDelivery {
  const { deviceId, userId, activationId } = row;
  return { ...toDeliveryStatus(row), deviceId, userId, activationId };
}

/** A delivery of a run. The ledger says what came of it; the exception, where there is one, says more. */
export function toRunDevice(row: RunDelivery): DeviceDelivery {
  const { provider, exception, deviceId, userId, activationId } = row;
  const { state, reason } = toOutcome(row.code);
  const isPending = state === 'pending';
  const wasTried = state === 'sent' || state === 'failed';
  const status = toDeliveryStatus({
    id: toRunDeliveryId(row.runId, row.ordinal),
    provider,
    state,
    reason: exception?.state === state ? (exception.reason ?? reason) : reason,
    attempts: exception?.attempts ?? (wasTried ? 1 : 0),
    nextAttemptAt: isPending ? (exception?.nextAttemptAt ?? null) : null,
    finishedAt: isPending ? null : (exception?.finishedAt ?? null),
    providerMessageId: exception?.providerMessageId ?? null,
    history: exception?.history ?? null,
  });
  return { ...status, deviceId, userId, activationId };
}
