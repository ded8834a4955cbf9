import { parseCallbackCursor, Refusal, type CallbackPosition } from '@heliograph/core';
import { resumeCallbackEndpoint } from '@heliograph/db';

import { noSuchCallback, type CallbackDeps } from './callback-deps.ts';

/** Tries the callback now, whatever was wrong with it, and tells it again what came behind the cursor, where one is given. */
export async function resumeCallback(
  { db }: Pick<CallbackDeps, 'db'>,
  id: number,
  after: string | undefined,
): Promise<void> {
  const from = after === undefined ? undefined : getPosition(after);
  if (!(await resumeCallbackEndpoint(db, id, from))) noSuchCallback();
}

/** Refuses what is no cursor. */
export function getPosition(cursor: string): CallbackPosition {
  const position = parseCallbackCursor(cursor);
  if (position === undefined) throw new Refusal('invalid_request', 'after is not a cursor.');
  return position;
}
