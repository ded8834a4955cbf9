import { enrolActivation, setActivationStatus } from '@heliograph/db';

import type { ActivationDirectory } from './activation-directory.ts';

/** For those who have no PowerAuth Server: the first registration makes the activation, and callers say what becomes of it. */
export function createLocalActivations(): ActivationDirectory {
  return {
    find: async () => undefined,
    enrol: (tx, { activationId, userId }) => enrolActivation(tx, activationId, userId),
    keepStatus: setActivationStatus,
  };
}
