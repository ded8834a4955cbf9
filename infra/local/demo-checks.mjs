// What the parts of the demo share: claims that hold or don't, and waiting for what they are about.

import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './admin.mjs';

/** Nothing takes as long, except on a machine that does much else. */
const TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/** Prints the claim and whether it holds; answers the latter. */
export function check(claim, holds) {
  console.log(`${holds ? 'ok    ' : 'NOT OK'} ${claim}`);
  return holds;
}

/** What `read` resolves with once it is as wished, or as it is when the time is over. */
export async function until(read, isAsWished) {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const value = await read();
    if (isAsWished(value) || Date.now() > deadline) return value;
    await sleep(POLL_MS);
  }
}

/** What became of a message, once nothing of it is pending any more. */
export function settled(api, id) {
  const read = () => call(api, 'GET', `/push/message/${id}`);
  return until(read, ({ counts }) => counts.pending === 0);
}

/** What a fake provider got for a push token: `{ count, accepted, pushes }`. */
export async function received(controlUrl, provider, token) {
  const query = new URLSearchParams({ provider, token });
  const answer = await fetch(`${controlUrl}/received?${query}`);
  return (await answer.json())[provider];
}
