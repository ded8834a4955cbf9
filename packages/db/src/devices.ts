import { createHash } from 'node:crypto';

import type { Environment, Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';

/** One activation of an app on one device, as a caller registers it. */
export interface DeviceRegistration {
  readonly appRef: number;
  readonly activationId: string;
  readonly userId: string | null;
  readonly provider: Provider;
  readonly environment: Environment | null;
  readonly pushToken: string;
  readonly activationActive: boolean;
}

/** The SHA-256 by which a push token is found, compared and logged. */
export function hashPushToken(pushToken: string): Buffer {
  return createHash('sha256').update(pushToken).digest();
}

/** PostgreSQL: a deadlock was resolved at our cost; a unique index was hit. */
const WORTH_ANOTHER_TRY = new Set(['40P01', '23505']);
const MAX_TRIES = 3;

/** Held shared by everybody who changes registrations, and alone by an import while it changes a page of them. */
export const REGISTRATIONS_LOCK = toLockKey('registrations').toString();

/** What a change of registrations concerns. */
export interface RegistrationScope {
  readonly pushToken?: string;
  readonly activationIds?: readonly string[];
}

/**
 * Runs `change` in a transaction during which nobody else registers that token or one of those activations: no row can begin
 * to match them. Runs it again from the start where rows were locked crosswise (a token's rows are also deactivated).
 */
export async function inRegistration<T>(
  db: Db,
  { pushToken, activationIds = [] }: RegistrationScope,
  change: (tx: Db) => Promise<T>,
): Promise<T> {
  const names = activationIds.map((id) => `activation ${id}`);
  if (pushToken !== undefined) names.push(`token ${pushToken}`);
  // Everybody takes the locks in the same order.
  const keys = names.map(toLockKey).toSorted((a, b) => (a < b ? -1 : 1));
  for (let tries = 1; ; tries += 1)
    try {
      return await db.transaction().execute(async (tx) => {
        // The shared one first: an import that waits for it is not to be waited for with the others in hand.
        await sql`
          SELECT pg_advisory_xact_lock_shared(${REGISTRATIONS_LOCK}::bigint)
          UNION ALL
          SELECT pg_advisory_xact_lock(key) FROM unnest(${keys.map(String)}::bigint[]) AS key`.execute(
          tx,
        );
        return change(tx);
      });
    } catch (error) {
      if (tries === MAX_TRIES || !isWorthAnotherTry(error)) throw error;
    }
}

function isWorthAnotherTry(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return typeof error.code === 'string' && WORTH_ANOTHER_TRY.has(error.code);
}

function toLockKey(name: string): bigint {
  return createHash('sha256').update(name).digest().readBigInt64BE();
}

/** What becomes of rows of other activations that share the app and token. */
export type SharedToken =
  | { readonly kind: 'refuse' }
  /** Rows that this request wrote itself stay, and are not used twice. */
  | { readonly kind: 'replace'; readonly written: Set<number> };

/**
 * Registers one activation and answers its row's id; undefined where several activations share the token and `shared` says to
 * refuse that. An activation keeps its row, whatever changes in it; a known token of the app moves with its row to a new activation.
 * A registration clears what was noted against the token. Belongs into `inRegistration`.
 */
export async function saveDevice(
  tx: Db,
  registration: DeviceRegistration,
  shared: SharedToken,
): Promise<number | undefined> {
  const pushTokenHash = hashPushToken(registration.pushToken);
  const { activationId, appRef } = registration;
  // A row that is deleted or moved to another activation while we wait for it no longer matches, and is not answered.
  const matching = await tx
    .selectFrom('devices')
    .select(['id', 'activationId'])
    .where((row) =>
      row.or([
        row('activationId', '=', activationId),
        row.and([row('pushTokenHash', '=', pushTokenHash), row('appRef', '=', appRef)]),
      ]),
    )
    .orderBy('id')
    .forUpdate()
    .execute();

  const values = { ...registration, pushTokenHash };
  const own = matching.find((row) => row.activationId === activationId);
  if (own !== undefined) return updateDevice(tx, own.id, values);
  if (matching.length > 1 && shared.kind === 'refuse') return undefined;

  const written = shared.kind === 'replace' ? shared.written : new Set<number>();
  const others = matching.map((row) => row.id).filter((id) => !written.has(id));
  const [only] = others;
  if (matching.length === 1 && only !== undefined) return updateDevice(tx, only, values);
  if (matching.length > 1 && others.length > 0)
    await tx.deleteFrom('devices').where('id', 'in', others).execute();
  return insertDevice(tx, values);
}

type DeviceValues = DeviceRegistration & { readonly pushTokenHash: Buffer };

/** The clock, not the transaction's start: a fault noted while we waited for the lock concerns the registration before. */
const REGISTERED_NOW = { lastRegisteredAt: sql<Date>`clock_timestamp()`, imported: false };

async function updateDevice(tx: Db, id: number, values: DeviceValues): Promise<number> {
  await tx
    .updateTable('devices')
    .set({ ...values, ...REGISTERED_NOW, tokenDeactivatedAt: null, tokenDeactivatedReason: null })
    .where('id', '=', id)
    .execute();
  return id;
}

async function insertDevice(tx: Db, values: DeviceValues): Promise<number> {
  const { id } = await tx
    .insertInto('devices')
    .values({
      ...values,
      ...REGISTERED_NOW,
      tokenDeactivatedAt: null,
      tokenDeactivatedReason: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Deletes the app's devices with that token, of all activations. Answers how many there were. */
export async function deleteDevices(db: Db, appId: string, pushToken: string): Promise<number> {
  return inRegistration(db, { pushToken }, async (tx) => {
    const { numDeletedRows } = await tx
      .deleteFrom('devices')
      .using('apps')
      .whereRef('apps.id', '=', 'devices.appRef')
      .where('apps.appId', '=', appId)
      .where('devices.pushTokenHash', '=', hashPushToken(pushToken))
      .executeTakeFirstOrThrow();
    return Number(numDeletedRows);
  });
}

/** Personal messages reach the activation's devices from now on, or no longer. There may be none. Belongs into `inRegistration`. */
export async function setActivationActive(
  tx: Db,
  activationId: string,
  activationActive: boolean,
): Promise<void> {
  await tx
    .updateTable('devices')
    .set({ activationActive })
    .where('activationId', '=', activationId)
    .execute();
}
