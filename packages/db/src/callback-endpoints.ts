import { randomUUID } from 'node:crypto';

import type { CallbackPosition, SealedPlace } from '@heliograph/core';
import { sql } from 'kysely';

import type { CallbackOwner } from './callback-events.ts';
import type { Db } from './database.ts';

export interface NewCallbackEndpoint extends CallbackOwner {
  readonly url: string;
  /** Host and port. */
  readonly target: string;
  /** Null where requests are signed with the developer key. */
  readonly callbackKey: string | null;
  /** Null for everything. */
  readonly types: readonly string[] | null;
}

/** What an operator sees of an endpoint. */
export interface CallbackEndpoint extends CallbackOwner {
  readonly id: number;
  readonly url: string;
  readonly callbackKey: string | null;
  readonly types: readonly string[] | null;
  readonly createdAt: Date;
  /** Failed attempts since the last success. */
  readonly failures: number;
  readonly failingSince: Date | null;
  readonly nextAttemptAt: Date;
  readonly passedOver: number;
  readonly lastAttemptAt: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly lastResult: string | null;
  readonly suspendedAt: Date | null;
  readonly suspendedBecause: string | null;
  readonly positionXid: string;
  readonly positionId: string;
}

/** Where a secret of a callback is sealed. */
export function toCallbackSecretPlace(secretId: string): SealedPlace {
  return { table: 'callback_secrets', column: 'sealed_secret', row: secretId };
}

/**
 * Stores an endpoint that is told what happens from now on. Answers its id; undefined where the owner has `most` of them. Its owner's
 * row is held, so of two at once the second counts the first.
 */
export async function insertCallbackEndpoint(
  tx: Db,
  endpoint: NewCallbackEndpoint,
  most: number,
): Promise<number | undefined> {
  await sql`SELECT FROM apps WHERE id = ${endpoint.appRef} FOR NO KEY UPDATE`.execute(tx);
  const { others } = await ownedBy(tx, endpoint)
    .select((row) => row.fn.countAll<number>().as('others'))
    .executeTakeFirstOrThrow();
  if (others >= most) return undefined;
  const { id } = await tx
    .insertInto('callbackEndpoints')
    .values({ ...endpoint, types: endpoint.types === null ? null : [...endpoint.types] })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Stores a secret that is used from then on. `seal` gets the place where it lives. */
export async function insertCallbackSecret(
  tx: Db,
  endpointRef: number,
  usedFrom: Date | 'now',
  seal: (place: SealedPlace) => Buffer,
): Promise<void> {
  const id = randomUUID();
  await tx
    .insertInto('callbackSecrets')
    .values({
      id,
      endpointRef,
      sealedSecret: seal(toCallbackSecretPlace(id)),
      usedFrom: usedFrom === 'now' ? sql<Date>`now()` : usedFrom,
    })
    .execute();
}

/** Forgets the secrets that will not be used any more. */
export async function deleteUsedCallbackSecrets(tx: Db, endpointRef: number): Promise<void> {
  await sql`
    DELETE FROM callback_secrets s WHERE s.endpoint_ref = ${endpointRef} AND EXISTS (
      SELECT FROM callback_secrets n
      WHERE n.endpoint_ref = s.endpoint_ref AND n.used_from <= now() AND (n.used_from, n.created_at) > (s.used_from, s.created_at)
    )`.execute(tx);
}

/** The owner's endpoints, the oldest first. */
export async function listCallbackEndpoints(
  db: Db,
  owner: CallbackOwner,
): Promise<readonly CallbackEndpoint[]> {
  return ownedBy(db, owner).selectAll().orderBy('id').execute();
}

export async function findCallbackEndpoint(
  db: Db,
  id: number,
): Promise<CallbackEndpoint | undefined> {
  return db.selectFrom('callbackEndpoints').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Answers false where there was none. What is under way to it may arrive yet. */
export async function deleteCallbackEndpoint(db: Db, id: number): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('callbackEndpoints')
    .where('id', '=', id)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

/**
 * Has it tried now, whatever was wrong with it; from another position where one is given. Whoever has it under lease may not move the
 * position any more; its lease stands, so that there are never two requests at once.
 */
export async function resumeCallbackEndpoint(
  db: Db,
  id: number,
  from: CallbackPosition | undefined,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('callbackEndpoints')
    .set({
      suspendedAt: null,
      suspendedBecause: null,
      failures: 0,
      failingSince: null,
      nextAttemptAt: sql<Date>`now()`,
      triedFrom: sql<Date>`now()`,
      leaseEpoch: sql<number>`lease_epoch + 1`,
      ...(from === undefined ? {} : { positionXid: from.xid, positionId: from.id }),
    })
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

function ownedBy(db: Db, { appRef, developerKeyRef }: CallbackOwner) {
  return db
    .selectFrom('callbackEndpoints')
    .where('appRef', '=', appRef)
    .where('developerKeyRef', '=', developerKeyRef);
}
