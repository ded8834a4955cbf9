import type { Requeue } from '@heliograph/core';

/** The push goes again at once, `limit` times at most; `otherwise` is what its answer means after that. */
export function toRequeue(
  reason: string,
  remedy: Requeue['remedy'],
  limit: number,
  otherwise: Requeue['otherwise'],
): Requeue {
  return { kind: 'requeue', reason, remedy, limit, otherwise };
}
