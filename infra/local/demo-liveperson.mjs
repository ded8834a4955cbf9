// LivePerson's wire in both directions: we hand a push to a customer's proxy, and we are the customer's proxy.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import path from 'node:path';
import { call } from './admin.mjs';
import { check, received, settled } from './demo-checks.mjs';

const BRAND_ID = '89961346';
const RECEIVER_PATH = '/push/proxy/liveperson';

/** A message to an Android device, by the customer's proxy in place of FCM. Resolves with its id and whether all was well. */
export async function sendByProxy({ api, controlUrl, sandbox }, appId) {
  console.log("\nLivePerson, sending: Android's pushes go by the customer's proxy now.");
  const { proxy } = sandbox.credentials;
  const choice = { appId, platform: 'android', brandId: BRAND_ID, backendService: 'ams' };
  await call(api, 'PUT', '/admin/app/proxy', { ...choice, url: sandbox.proxyUrl, ...proxy });

  const token = 'a token that only the customer understands';
  const userId = 'bob';
  const device = { appId, userId, activationId: randomUUID(), platform: 'android', token };
  await call(api, 'POST', '/push/device/create', device);
  const body = {
    title: 'Chat',
    body: 'Your agent has answered.',
    extras: { conversationId: 'c-1' },
  };
  const sent = await call(api, 'POST', '/push/message/send', {
    appId,
    message: { userId, body },
  });
  const [id] = sent.messageIds;
  const { counts } = await settled(api, id);
  const { count, pushes } = await received(controlUrl, 'proxy', token);
  const [push] = pushes;
  if (push) console.log(`  it got ${JSON.stringify(push.body)}`);
  const ok = [
    check('the proxy got the push once, over mutual TLS', count === 1 && push.accepted),
    check(
      'as LivePerson writes it, with the conversation',
      push?.body['push-service'] === 2 && push.body.data.payload.conversationId === 'c-1',
    ),
    check('the ledger says sent', counts.sent === 1),
  ].every(Boolean);
  return { ok, id };
}

/** LivePerson, played by us, hands over a push for an iPhone, and repeats it. Resolves with the message's id and whether all was well. */
export async function receiveFromLivePerson(stack, appId) {
  const { api, controlUrl } = stack;
  console.log('\nLivePerson, receiving: we are the customer, and LivePerson posts to us.');
  const certificatePem = readFileSync(path.join(stack.sandbox.folder, 'client.pem'), 'utf8');
  const sender = { appId, brandId: BRAND_ID, name: 'Chat', certificatePem };
  await call(api, 'PUT', '/admin/app/liveperson', sender);
  const token = 'c4'.repeat(32);
  const device = { appId, userId: 'carol', activationId: randomUUID(), platform: 'ios', token };
  await call(api, 'POST', '/push/device/create', device);

  const push = {
    'push-service': 1,
    notificationType: 'apn',
    'device-token': token,
    backendService: 'ams',
    conversationId: randomUUID(),
    originatorId: `${BRAND_ID}.42`,
    brandId: BRAND_ID,
    badge: 1,
    sequence: 7,
    aps: { alert: 'How can we help?\n', sound: 'default' },
  };
  const first = await postAsLivePerson(stack, 'client', push);
  const second = await postAsLivePerson(stack, 'client', push);
  const stranger = await postAsLivePerson(stack, 'foreign-client', push).catch(({ code }) => code);
  console.log(
    `  ${first.status} ${JSON.stringify(first.body)}\n  ${second.status} ${JSON.stringify(second.body)}`,
  );

  const id = first.body.messageId;
  await settled(api, id);
  const { count, pushes } = await received(controlUrl, 'apns', token);
  const ok = [
    check(
      'LivePerson was told 200, and 200 again for its repeat',
      first.status === 200 && second.status === 200,
    ),
    check(
      'APNs got it once, its text unchanged',
      count === 1 && pushes[0].body.aps.alert === push.aps.alert,
    ),
    check(
      `a certificate of strangers got no further than the handshake (${stranger})`,
      typeof stranger === 'string',
    ),
  ].every(Boolean);
  return { ok, id };
}

/** Posts a push as LivePerson does, with a client certificate of the sandbox's folder. Rejects where the handshake fails. */
function postAsLivePerson({ sandbox, livePersonUrl }, client, push) {
  const read = (name) => readFileSync(path.join(sandbox.folder, name), 'utf8');
  const identity =
    client === 'client'
      ? { cert: read('client.pem'), key: read('client-key.pem') }
      : { cert: read(`${client}.pem`), key: read(`${client}.pem`) };
  const headers = { 'content-type': 'application/json' };
  const options = { method: 'POST', headers, ca: read('ca.pem'), ...identity, agent: false };
  return new Promise((resolve, reject) => {
    const sent = request(livePersonUrl + RECEIVER_PATH, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (text += part));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(push));
  });
}
