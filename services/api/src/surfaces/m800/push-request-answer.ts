import type { DeliveryStatus, MessageStatus } from '../../messages/find-message-status.ts';
import type { PushRequest } from '../../signed-push/find-push-request.ts';

/** A request as its developer sees it; what there is not is left out. */
export function toPushRequestAnswer(request: PushRequest): unknown {
  const { requestId, createdAt, userId, carrier, read, push } = request;
  return {
    requestId,
    createdAt: createdAt.toISOString(),
    receiver: `${userId}@${carrier}`,
    inbox: { id: requestId, read },
    ...(push === undefined ? {} : { push: toPush(push) }),
  };
}

function toPush({ counts, expiresAt, deliveries }: MessageStatus) {
  return { ...counts, expiresAt: expiresAt.toISOString(), deliveries: deliveries.map(toDelivery) };
}

/** Without the attempts: they name hosts and credentials, which are the operator's. */
function toDelivery(delivery: DeliveryStatus) {
  const { id, platform, state, reason, attempts, nextAttemptAt, finishedAt } = delivery;
  return {
    id,
    platform,
    state,
    ...(reason === undefined ? {} : { reason }),
    attempts,
    ...(nextAttemptAt === undefined ? {} : { nextAttemptAt: nextAttemptAt.toISOString() }),
    ...(finishedAt === undefined ? {} : { finishedAt: finishedAt.toISOString() }),
  };
}
