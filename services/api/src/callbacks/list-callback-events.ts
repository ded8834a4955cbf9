import { CALLBACKS_START, toCallbackCursor, type CallbackPosition } from '@heliograph/core';
import {
  isAheadOfCallbacks,
  listCallbackEvents,
  type CallbackEvent,
  type Db,
} from '@heliograph/db';

import { getOwner, type CallbackDeps, type OwnerName } from './callback-deps.ts';
import { getPosition } from './resume-callback.ts';

export interface CallbackPage {
  readonly events: readonly CallbackEvent[];
  /** Leads to what comes behind them; the one that was asked with where there are none. */
  readonly cursor: string | null;
}

/** The owner's events behind the cursor, or from the oldest that is kept: the same, in the same order, as callbacks are told. */
export async function listEvents(
  { db }: Pick<CallbackDeps, 'db'>,
  { after, limit, ...name }: OwnerName & { readonly after?: string; readonly limit: number },
): Promise<CallbackPage> {
  const owner = await getOwner(db, name);
  const position = await toPosition(db, after);
  const events = await listCallbackEvents(db, owner, position, limit);
  const last = events.at(-1);
  return { events, cursor: last === undefined ? (after ?? null) : toCallbackCursor(last) };
}

/** Who waited behind a place from before a restore would miss all that comes: there it begins anew, as callbacks do. */
async function toPosition(db: Db, after: string | undefined): Promise<CallbackPosition> {
  if (after === undefined) return CALLBACKS_START;
  const position = getPosition(after);
  return (await isAheadOfCallbacks(db, position)) ? CALLBACKS_START : position;
}
