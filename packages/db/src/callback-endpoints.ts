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
  /** The one that it belongs to; null for the app itself. */
  readonly developerKey: string | null;
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
  readonly suspendedBecause: 'gone' | 'failing' | null;
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
  const { others } = await tx
    .selectFrom('callbackEndpoints')
    .select((row) => row.fn.countAll<number>().as('others'))
    .where('appRef', '=', endpoint.appRef)
    .where('developerKeyRef', '=', endpoint.developerKeyRef)
    .executeTakeFirstOrThrow();
  if (others >= most) return undefined;
  const { id } = await tx
    .insertInto('callbackEndpoints')
    .values({ ...endpoint, types: endpoint.types === null ? null : [...endpoint.types] })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/**
 * Stores a secret that is used from so many seconds on; answers when. One that was to be used later gives way. `seal` gets the place
 * where it lives.
 */
export async function insertCallbackSecret(
  tx: Db,
  endpointRef: number,
  afterSeconds: number,
  seal: (place: SealedPlace) => Buffer,
): Promise<Date> {
  await tx
    .deleteFrom('callbackSecrets')
    .where('endpointRef', '=', endpointRef)
    .where('usedFrom', '>', sql<Date>`now()`)
    .execute();
  const id = randomUUID();
  const { usedFrom } = await tx
    .insertInto('callbackSecrets')
    .values({
      id,
      endpointRef,
      sealedSecret: seal(toCallbackSecretPlace(id)),
      usedFrom: sql<Date>`now() + make_interval(secs => ${afterSeconds})`,
    })
    .returning('usedFrom')
    .executeTakeFirstOrThrow();
  return usedFrom;
}

/** Forgets the secrets that will not be used any more. */
export async function deleteUsedCallbackSecrets(tx: Db, endpointRef: number): Promise<void> {
  await sql`
    DELETE FROM callback_secrets s WHERE s.endpoint_ref = ${endpointRef} AND EXISTS (
      SELECT FROM callback_secrets n
      WHERE n.endpoint_ref = s.endpoint_ref AND n.used_from <= now() AND (n.used_from, n.created_at) > (s.used_from, s.created_at)
    )`.execute(tx);
}

/** The endpoints of an app and its developer keys, the oldest first. */
export async function listCallbackEndpoints(
  db: Db,
  appRef: number,
): Promise<readonly CallbackEndpoint[]> {
  return selectEndpoints(db).where('c.appRef', '=', appRef).orderBy('c.id').execute();
}

export async function findCallbackEndpoint(
  db: Db,
  id: number,
): Promise<CallbackEndpoint | undefined> {
  return selectEndpoints(db).where('c.id', '=', id).executeTakeFirst();
}

function selectEndpoints(db: Db) {
  return db
    .selectFrom('callbackEndpoints as c')
    .leftJoin('developerKeys as k', 'k.id', 'c.developerKeyRef')
    .selectAll('c')
    .select('k.developerKey');
}

/** Whose callbacks those of a developer key are; undefined where there is no such key. */
export async function findDeveloperKeyOwner(
  db: Db,
  developerKey: string,
): Promise<CallbackOwner | undefined> {
  return db
    .selectFrom('developerKeys')
    .select(['id as developerKeyRef', 'appRef'])
    .where('developerKey', '=', developerKey)
    .executeTakeFirst();
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
