import {
  CALLBACKS_START,
  parseCallbackCursor,
  Refusal,
  type CallbackPosition,
} from '@heliograph/core';
import {
  findCallbackEndpoint,
  findEventsSince,
  isAheadOfCallbacks,
  resumeCallbackEndpoint,
  type Db,
} from '@heliograph/db';

import { noSuchCallback, type CallbackDeps } from './callback-deps.ts';

/** What is to be told again: what came behind a cursor, or from an instant on; undefined: nothing. */
export type ToldAgain = { readonly after: string } | { readonly since: Date } | undefined;

/** Tries the callback now, whatever was wrong with it, and tells it again what is wanted. */
export async function resumeCallback(
  { db }: Pick<CallbackDeps, 'db'>,
  id: number,
  again: ToldAgain,
): Promise<void> {
  const from = await toPosition(db, id, again);
  if (!(await resumeCallbackEndpoint(db, id, from))) noSuchCallback();
}

async function toPosition(
  db: Db,
  id: number,
  again: ToldAgain,
): Promise<CallbackPosition | undefined> {
  if (again === undefined) return undefined;
  if ('after' in again) return getPosition(db, again.after);
  const endpoint = (await findCallbackEndpoint(db, id)) ?? noSuchCallback();
  const from = await findEventsSince(db, endpoint, again.since);
  // What was not told yet is not passed over; and where nothing was written since, there is nothing to be told again.
  return from === undefined || BigInt(from.xid) > BigInt(endpoint.positionXid) ? undefined : from;
}

/** Refuses what is no cursor. One from before a restore leads to the start, or whoever waited behind it would miss all that comes. */
export async function getPosition(db: Db, cursor: string): Promise<CallbackPosition> {
  const position = parseCallbackCursor(cursor);
  if (position === undefined) throw new Refusal('invalid_request', 'after is not a cursor.');
  return (await isAheadOfCallbacks(db, position)) ? CALLBACKS_START : position;
}
