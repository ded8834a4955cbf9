// The other wires, after the messages and the campaign of the demo.

import { receiveFromLivePerson } from './demo-liveperson.mjs';

/** Resolves with whether all came out as it should. */
export async function tellWires(stack) {
  const { appId } = stack;
  const received = await receiveFromLivePerson(stack, appId);
  return [received.ok].every(Boolean);
}
