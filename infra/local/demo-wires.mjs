// The other wires, after the messages and the campaign of the demo.

import { checkCallbacks, registerCallback } from './demo-callbacks.mjs';
import { receiveFromLivePerson, sendByProxy } from './demo-liveperson.mjs';
import { pushByM800 } from './demo-m800.mjs';

/** Resolves with whether all came out as it should. */
export async function tellWires(stack) {
  const { appId } = stack;
  const key = await registerCallback(stack, appId);
  const told = [
    await pushByM800(stack, appId),
    await receiveFromLivePerson(stack, appId),
    await sendByProxy(stack, appId),
  ];
  const messageIds = told.map(({ id }) => id);
  return (await checkCallbacks(stack, key, messageIds)) && told.every(({ ok }) => ok);
}
