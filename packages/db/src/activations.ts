import { sql } from 'kysely';

import type { Db } from './database.ts';
import type { ActivationStatus } from './schema.ts';

export interface Activation {
  readonly status: ActivationStatus;
  readonly userId: string | null;
}

/**
 * The activation as the local directory has it after this registration: a new one is ACTIVE, a known one keeps its status, and
 * its user where none is named. Holds the row until the transaction ends, so that a change of status waits for the registration.
 */
export async function enrolActivation(
  tx: Db,
  activationId: string,
  userId: string | undefined,
): Promise<Activation> {
  return tx
    .insertInto('activations')
    .values({ activationId, userId: userId ?? null, status: 'ACTIVE' })
    .onConflict((conflict) =>
      conflict.column('activationId').doUpdateSet({
        userId: sql<string | null>`coalesce(excluded.user_id, activations.user_id)`,
        updatedAt: sql<Date>`now()`,
      }),
    )
    .returning(['status', 'userId'])
    .executeTakeFirstOrThrow();
}

/** Remembered also for an activation that has no device yet: a blocked one stays blocked when it registers. */
export async function setActivationStatus(
  tx: Db,
  activationId: string,
  status: ActivationStatus,
): Promise<void> {
  await tx
    .insertInto('activations')
    .values({ activationId, userId: null, status })
    .onConflict((conflict) =>
      conflict.column('activationId').doUpdateSet({
        status,
        imported: false,
        updatedAt: sql<Date>`now()`,
      }),
    )
    .execute();
}
