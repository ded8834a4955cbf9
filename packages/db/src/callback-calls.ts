import type { CallbackPosition } from '@heliograph/core';
import { sql, type RawBuilder } from 'kysely';

import type { CallbackOwner, CallbackEvent } from './callback-events.ts';
import type { Db } from './database.ts';

/*
 * The requests that were made to an endpoint, for operators, who may have one made again. The latest are kept, so an endpoint that is
 * called a hundred times a second has no more of them than one that is called once a day.
 */

/** So many calls of an endpoint are kept. */
export const CALLBACK_CALLS_KEPT = 100;

/** A request, as it is written down when it is over. */
export interface MadeCall {
  /** Undefined: told by itself. Else the row that waited for it. */
  readonly waitingId?: number | undefined;
  readonly events: number;
  /** It told what is wanted behind this place … */
  readonly after: CallbackPosition;
  /** … up to this one. */
  readonly end: CallbackPosition;
}

export interface CallbackCall {
  readonly id: number;
  readonly at: Date;
  readonly events: number;
  readonly afterXid: string;
  readonly afterId: string;
  readonly endXid: string;
  readonly endId: string;
  /** The call that it repeats; null where it was told by itself. */
  readonly resendOf: number | null;
  /** The status or what went wrong; null while it waits to be made. */
  readonly result: string | null;
  readonly taken: boolean | null;
  readonly latencyMs: number | null;
}

interface CallResult {
  readonly result: string;
  readonly latencyMs: number;
  readonly taken: boolean;
}

/**
 * Parts of a statement, for its WITH: writes down a call, and forgets those of its endpoint that are too old. It happened whoever has
 * the lease by now.
 */
export function noteCall(
  endpointId: number,
  { waitingId, events, after, end }: MadeCall,
  { result, latencyMs, taken }: CallResult,
): RawBuilder<unknown> {
  const latency = Math.round(latencyMs);
  const madeAt = sql`now() - ${latency}::integer * interval '1 ms'`;
  const noted =
    waitingId === undefined
      ? sql`
        INSERT INTO callback_calls (endpoint_ref, at, events, after_xid, after_id, end_xid, end_id, result, taken, latency_ms)
        SELECT id, ${madeAt}, ${events}::integer, ${after.xid}::xid8, ${after.id}::uuid, ${end.xid}::xid8, ${end.id}::uuid,
          ${result}, ${taken}::boolean, ${latency}::integer
        FROM callback_endpoints WHERE id = ${endpointId}`
      : sql`
        UPDATE callback_calls SET at = ${madeAt}, result = ${result}, taken = ${taken}, latency_ms = ${latency}
        WHERE id = ${waitingId} AND result IS NULL`;
  return sql`noted AS (${noted}), forgotten AS (
    DELETE FROM callback_calls WHERE endpoint_ref = ${endpointId} AND result IS NOT NULL AND id < (
      SELECT min(id) FROM (
        SELECT id FROM callback_calls WHERE endpoint_ref = ${endpointId} ORDER BY id DESC LIMIT ${sql.lit(CALLBACK_CALLS_KEPT - 1)}
      ) latest
    )
  )`;
}

/** The endpoint's calls, the latest first; those behind `before`. */
export async function listCallbackCalls(
  db: Db,
  endpointId: number,
  { before, limit }: { readonly before: number | undefined; readonly limit: number },
): Promise<readonly CallbackCall[]> {
  let query = selectCalls(db, endpointId).orderBy('id', 'desc').limit(limit);
  if (before !== undefined) query = query.where('id', '<', before);
  return query.execute();
}

/** What operators want made again of the endpoint, in the order in which they asked. */
export async function listWaitingCalls(
  db: Db,
  endpointId: number,
): Promise<readonly CallbackCall[]> {
  return selectCalls(db, endpointId).where('result', 'is', null).orderBy('id').execute();
}

export async function findCallbackCall(
  db: Db,
  endpointId: number,
  id: number,
): Promise<CallbackCall | undefined> {
  return selectCalls(db, endpointId).where('id', '=', id).executeTakeFirst();
}

function selectCalls(db: Db, endpointId: number) {
  return db
    .selectFrom('callbackCalls')
    .select([
      'id',
      'at',
      'events',
      'afterXid',
      'afterId',
      'endXid',
      'endId',
      'resendOf',
      'result',
      'taken',
      'latencyMs',
    ])
    .where('endpointRef', '=', endpointId);
}

/** The owner's events that a call was made of, wanted or not; fewer where they are not kept any more. */
export async function listEventsOfCall(
  db: Db,
  { appRef, developerKeyRef }: CallbackOwner,
  { afterXid, afterId, endXid, endId }: CallbackCall,
): Promise<readonly CallbackEvent[]> {
  const { rows } = await sql<CallbackEvent>`
    SELECT xid, id, type, data, created_at FROM callback_events
    WHERE app_ref = ${appRef} AND developer_key_ref = ${developerKeyRef}
      AND (xid, id) > (${afterXid}::xid8, ${afterId}::uuid) AND (xid, id) <= (${endXid}::xid8, ${endId}::uuid)
    ORDER BY xid, id`.execute(db);
  return rows;
}

/**
 * Has a call made again, soon. Answers the id of what waits for it: the same one for whoever asks while it waits; undefined where `most`
 * of the endpoint wait already. The endpoint's row is held, so of two who ask at once the second finds what the first has made.
 */
export async function insertResend(
  tx: Db,
  endpointId: number,
  call: CallbackCall,
  most: number,
): Promise<number | undefined> {
  await sql`
    UPDATE callback_endpoints SET next_attempt_at = least(next_attempt_at, now()) WHERE id = ${endpointId}`.execute(
    tx,
  );
  const waiting = await listWaitingCalls(tx, endpointId);
  const same = waiting.find(({ resendOf }) => resendOf === call.id);
  if (same !== undefined) return same.id;
  if (waiting.length >= most) return undefined;
  const { afterXid, afterId, endXid, endId, events } = call;
  const { id } = await tx
    .insertInto('callbackCalls')
    .values({
      endpointRef: endpointId,
      events,
      afterXid,
      afterId,
      endXid,
      endId,
      resendOf: call.id,
      result: null,
      taken: null,
      latencyMs: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Notes that a call can't be made again: what it told is not kept any more. */
export async function dropResend(db: Db, id: number): Promise<void> {
  await db
    .updateTable('callbackCalls')
    .set({ result: EVENTS_GONE, taken: false })
    .where('id', '=', id)
    .where('result', 'is', null)
    .execute();
}

const EVENTS_GONE = 'events gone';
