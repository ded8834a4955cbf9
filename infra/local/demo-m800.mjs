// M800's wire: a developer's signed push to a user's inbox and devices, watched as the user's app would.

import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { openClient } from './admin.mjs';
import { check, received, until } from './demo-checks.mjs';
import { ROOT } from './folders.mjs';
import { run } from './run.mjs';

const CARRIER = 'acme.com';
const USER = 'dave';

/** Resolves with the request's id, which is the message's, and whether all was well. */
export async function pushByM800({ api, controlUrl }, appId) {
  console.log("\nM800: a developer's signed push, to the inbox and the devices of a user.");
  const client = await openClient(api);
  const key = await client.developerKeys.create({ appId, name: 'demo', carriers: [CARRIER] });
  const token = 'd5'.repeat(32);
  const device = { appId, userId: USER, activationId: randomUUID(), platform: 'ios', token };
  await client.devices.register(device);
  const told = firstOfInbox(client, appId).catch(() => undefined);

  const body = JSON.stringify({
    appMessage: { content: 'Your parcel is at the counter.' },
    push: { content: 'A parcel has arrived.' },
  });
  const accepted = await callSigned(key, `${api.baseUrl}/api/1.0/push/${USER}@${CARRIER}`, body);
  console.log(`  ${accepted.status} ${JSON.stringify(accepted.body)}`);
  const forged = await callSigned(
    { ...key, secret: 'a guess' },
    `${api.baseUrl}/api/1.0/push/${USER}@${CARRIER}`,
    body,
  );
  const { requestId } = accepted.body;
  const event = await told;
  console.log(`  the user's app sees ${JSON.stringify(event)}`);

  const url = `${api.baseUrl}/api/1.0/push/requests/${requestId}`;
  const request = await until(
    () => callSigned(key, url),
    (answer) => answer.body.push?.pending === 0,
  );
  const { count, pushes } = await received(controlUrl, 'apns', token);
  const ok = [
    check(
      'a signed request was accepted, one signed with a guess was not',
      accepted.status < 300 && forged.status === 401,
    ),
    check('the inbox told its stream of it at once', event?.id === requestId),
    check(
      'APNs got the push once',
      count === 1 && pushes[0].body.aps.alert.body === 'A parcel has arrived.',
    ),
    check('the developer reads that it was sent', request.body.push?.sent === 1),
  ].every(Boolean);
  return { ok, id: requestId };
}

/** Signs with `heliograph sign`, as anybody can at a shell, and sends what that printed. Without a body it is a GET. */
async function callSigned({ developerKey, secret }, url, body) {
  const method = body === undefined ? 'GET' : 'POST';
  const cli = path.join(ROOT, 'services/cli/dist/main.js');
  const args = ['--key', developerKey, '--secret-env', 'SECRET', '--method', method, '--url', url];
  const printed = await run(
    process.execPath,
    [cli, 'sign', ...args, ...(body === undefined ? [] : ['--body', body])],
    { env: { ...process.env, SECRET: secret } },
  );
  const [head] = printed.split('\n\n');
  const headers = head.split('\n').map((line) => line.split(/: (.*)/, 2));
  const response = await fetch(url, { method, headers, body });
  return { status: response.status, body: await response.json() };
}

/** The first message that the stream of the user's inbox tells. */
async function firstOfInbox(client, appId) {
  const inbox = { userId: USER, applications: String(appId) };
  const signal = AbortSignal.timeout(60_000);
  for await (const { message } of client.inbox.stream(inbox, { lastEventId: 0, signal }))
    return message;
}
