import { Refusal, wantsCallback } from '@heliograph/core';
import { findCallbackCall, insertResend, listEventsOfCall } from '@heliograph/db';

import { getCallback, type CallbackDeps } from './callback-deps.ts';

/** So many calls of a callback wait to be made again at a time. */
const MOST_WAITING = 10;

/**
 * Has a call made again, soon, with the same events. Answers the id of the new call: the same one to whoever asks again before it is made.
 * Refuses a call that is not kept, or whose events are not, one of a suspended callback, and more than ten at a time.
 */
export async function resendCall(
  { db }: Pick<CallbackDeps, 'db'>,
  callbackId: number,
  callId: number,
): Promise<number> {
  const callback = await getCallback(db, callbackId);
  const call = await findCallbackCall(db, callbackId, callId);
  if (call === undefined)
    throw new Refusal('not_found', 'The callback has no such call; its latest 100 are kept.');
  if (call.result === null) return call.id;
  if (callback.suspendedAt !== null)
    throw new Refusal('conflict', 'The callback is suspended: resume it first.');
  const events = await listEventsOfCall(db, callback, call);
  if (events.filter(({ type }) => wantsCallback(callback.types, type)).length < call.events)
    throw new Refusal('conflict', 'What this call told is not kept any more.');

  const id = await db
    .transaction()
    .execute((tx) => insertResend(tx, callbackId, call, MOST_WAITING));
  if (id === undefined)
    throw new Refusal(
      'conflict',
      `${MOST_WAITING} calls of the callback wait to be made again already.`,
    );
  return id;
}
