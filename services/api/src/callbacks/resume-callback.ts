import {
  CALLBACKS_START,
  parseCallbackCursor,
  Refusal,
  type CallbackPosition,
} from '@heliograph/core';
import { isAheadOfCallbacks, resumeCallbackEndpoint, type Db } from '@heliograph/db';

import { noSuchCallback, type CallbackDeps } from './callback-deps.ts';

/** Tries the callback now, whatever was wrong with it, and tells it again what came behind the cursor, where one is given. */
export async function resumeCallback(
  { db }: Pick<CallbackDeps, 'db'>,
  id: number,
  after: string | undefined,
): Promise<void> {
  const from = after === undefined ? undefined : await getPosition(db, after);
  if (!(await resumeCallbackEndpoint(db, id, from))) noSuchCallback();
}

/** Refuses what is no cursor. One from before a restore leads to the start, or whoever waited behind it would miss all that comes. */
export async function getPosition(db: Db, cursor: string): Promise<CallbackPosition> {
  const position = parseCallbackCursor(cursor);
  if (position === undefined) throw new Refusal('invalid_request', 'after is not a cursor.');
  return (await isAheadOfCallbacks(db, position)) ? CALLBACKS_START : position;
}
