import { CALLBACKS_START, toCallbackCursor } from '@heliograph/core';
import { listCallbackEvents, type CallbackEvent } from '@heliograph/db';

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
  const position = after === undefined ? CALLBACKS_START : await getPosition(db, after);
  const events = await listCallbackEvents(db, owner, position, limit);
  const last = events.at(-1);
  return { events, cursor: last === undefined ? (after ?? null) : toCallbackCursor(last) };
}
