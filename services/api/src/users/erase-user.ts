import { continueErasure, requestErasure, type Db, type Erasure } from '@heliograph/db';

import { getAppRef } from '../devices/device-deps.ts';

/** A request does as much as it gets done in that time; what is left goes on in the background. */
const WITHIN_MS = 10_000;

/**
 * Forgets a user, in one app or everywhere. Answers how far it is: not erased yet where there is very much, or where another request is
 * at it; dispatchers go on. Asking again is safe. Refuses an app that does not exist.
 */
export async function eraseUser(
  { db }: { readonly db: Db },
  { userId, appId }: { readonly userId: string; readonly appId?: string | undefined },
): Promise<Erasure> {
  const appRef = appId === undefined ? null : await getAppRef(db, appId);
  const requested = await requestErasure(db, userId, appRef);
  const startedAt = performance.now();
  const erasure = await continueErasure(
    db,
    requested.id,
    () => performance.now() - startedAt > WITHIN_MS,
  );
  // Finished meanwhile, by somebody who had found nothing left.
  return erasure ?? { ...requested, erasedAt: requested.requestedAt };
}
