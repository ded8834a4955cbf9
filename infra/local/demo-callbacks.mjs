// Signed callbacks: a server of the app's owner is told what became of messages.

import { call } from './admin.mjs';
import { check, until } from './demo-checks.mjs';

/** Has the fake receiver told of the app's outcomes from now on. Resolves with the key that it knows the sender by. */
export async function registerCallback({ api, controlUrl, sandbox }, appId) {
  const { key, secret } = await call(api, 'POST', '/admin/app/callback/create', {
    appId,
    url: sandbox.callbackUrl,
    types: ['delivery'],
  });
  const told = await fetch(`${controlUrl}/callbacks/keys`, {
    method: 'POST',
    body: JSON.stringify({ key, secret }),
  });
  if (!told.ok) throw new Error(`POST /callbacks/keys: ${told.status}`);
  return key;
}

/** Waits for the outcomes of the messages. Resolves with whether the receiver got each of them, and nothing that it had to refuse. */
export async function checkCallbacks({ controlUrl }, key, messageIds) {
  console.log("\nCallbacks: the app's owner is told what became of these messages.");
  const read = async () => (await (await fetch(`${controlUrl}/callbacks?key=${key}`)).json())[key];
  const outcomesOf = (events = []) =>
    messageIds.map((id) => events.find(({ data }) => data.messageId === id)?.type);
  const seen = await until(read, (log) => outcomesOf(log?.events).every(Boolean));
  for (const event of seen?.events ?? []) console.log(`  it got ${JSON.stringify(event)}`);

  const outcomes = outcomesOf(seen?.events);
  return [
    check(
      `${outcomes.length} messages, ${outcomes.filter(Boolean).length} outcomes: ${[...new Set(outcomes)].join(', ')}`,
      outcomes.every((type) => type === 'delivery.sent'),
    ),
    check('each call was signed as M800 says', seen?.acceptedCalls > 0 && seen.refusedCalls === 0),
    check('no outcome contradicts another', seen?.contradictions.length === 0),
  ].every(Boolean);
}
