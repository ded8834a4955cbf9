import {
  inRegistration,
  setActivationActive,
  type ActivationStatus,
  type Db,
} from '@heliograph/db';

import type { RequestOrigin } from '../origin.ts';
import type { ActivationDirectory } from './activation-directory.ts';

/**
 * Lets personal messages reach the activation's devices only while it is ACTIVE. A status that the caller names is believed;
 * otherwise the directory is asked, and where that knows nothing, nothing changes. Devices are never deleted by it.
 */
export async function updateActivationStatus(
  deps: { readonly db: Db; readonly activations: ActivationDirectory },
  activationId: string,
  told: ActivationStatus | undefined,
  origin: RequestOrigin,
): Promise<void> {
  const status = told ?? (await deps.activations.find(activationId, origin))?.status;
  if (status === undefined) return;
  // A registration of the activation comes wholly before or wholly after.
  await inRegistration(deps.db, { activationIds: [activationId] }, async (tx) => {
    await deps.activations.keepStatus(tx, activationId, status);
    await setActivationActive(tx, activationId, status === 'ACTIVE');
  });
}
