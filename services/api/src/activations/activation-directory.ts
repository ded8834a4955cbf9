import type { Activation, ActivationStatus, Db } from '@heliograph/db';

import type { RequestOrigin } from '../origin.ts';

/** Knows whose an activation is and whether it may be registered: a PowerAuth Server, or a table of our own. */
export interface ActivationDirectory {
  /**
   * Asked before a registration locks anything, since it may take seconds. Undefined where the directory is in our database and
   * answers in `enrol`. Refuses when it cannot tell.
   */
  find(activationId: string, origin: RequestOrigin): Promise<Activation | undefined>;
  /** In the registration's transaction: what the directory keeps of it. `found` is what `find` said. */
  enrol(
    tx: Db,
    enrolment: { readonly activationId: string; readonly userId: string | undefined },
    found: Activation | undefined,
  ): Promise<Activation>;
  /** In the transaction that updates the devices: a caller told the activation's new status. */
  keepStatus(tx: Db, activationId: string, status: ActivationStatus): Promise<void>;
}
