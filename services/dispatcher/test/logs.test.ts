import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';

import { signRequest, toAuthorization } from '@heliograph/core';
import { insertApiKey, listDeliveries } from '@heliograph/db';
import { eventually, type SpawnedService } from '@heliograph/testing';

import { openStack, type Stack } from './stack.ts';

jest.setTimeout(240_000);

const SECRETS_KEY = randomBytes(32).toString('base64');
/** Callbacks wait for every transaction on the server, the other tests' too. */
const PATIENCE_MS = 60_000;
const BAD_APNS = 'b0'.repeat(32);

let stack: Stack;
let api: SpawnedService;
let guarded: SpawnedService;
let dispatcher: SpawnedService;
/** What must not be said, by what it is. */
const secrets = new Map<string, string>([['secrets key', SECRETS_KEY]]);

function secret(name: string, text: string = randomBytes(24).toString('hex')): string {
  secrets.set(name, text);
  return text;
}

beforeAll(async () => {
  stack = await openStack({}, { LOG_LEVEL: 'trace', SECRETS_KEY });
  [api, guarded, dispatcher] = await Promise.all([
    stack.startApi(),
    stack.startApi({ AUTH: 'on' }),
    stack.startDispatcher(),
  ]);
});
afterAll(() => stack.close());

const post = (path: string, requestObject: object) => stack.call(api, 'POST', path, requestObject);

async function refused(path: string, body: string, headers: Record<string, string> = {}) {
  const answer = await fetch(api.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  await answer.text();
  expect(answer.status).toBeGreaterThanOrEqual(400);
}

const wrapped = (requestObject: object) => JSON.stringify({ requestObject });

async function saveCredentials(): Promise<void> {
  const { apns, fcm, apnsCertificate, proxy } = stack.sandbox.credentials;
  for (const { privateKeyBase64 } of [apns, fcm, proxy]) notePem(privateKeyBase64);
  secret('basic password of a proxy', proxy.basicPassword);
  await post('/admin/app/create', { appId: 1 });
  await post('/admin/app/create', { appId: 2 });
  await post('/admin/app/ios/update?verify=true', { appId: 1, ...apns });
  await post('/admin/app/android/update?verify=true', { appId: 1, ...fcm });
  await post('/admin/app/apns/certificate', { appId: 2, ...apnsCertificate });
  await post('/admin/app/proxy', {
    appId: 2,
    platform: 'android',
    url: new URL('/basic/push', stack.sandbox.proxyUrl).href,
    ...proxy,
  });

  const strange = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const pem = strange.export({ type: 'pkcs8', format: 'pem' });
  const privateKeyBase64 = Buffer.from(pem).toString('base64');
  notePem(privateKeyBase64);
  const unknown = { appId: 1, ...apns, privateKeyBase64 };
  await refused('/admin/app/ios/update?verify=true', wrapped(unknown));
  await refused('/admin/app/proxy?verify=true', wrapped({ appId: 2, platform: 'ios', ...proxy }));
  const certificatePassword = secret('password of a certificate');
  await refused(
    '/admin/app/apns/certificate',
    wrapped({ appId: 1, certificateBase64: privateKeyBase64, certificatePassword }),
  );
  await refused('/admin/app/ios/update', wrapped({ appId: 1, privateKeyBase64 }));
  await refused('/admin/app/fcm', wrapped({ appId: 'unknown', ...fcm }));
  await refused('/admin/app/fcm', `{"requestObject": {"key": "${secret('key in no JSON')}" `);
}

/** The file as it was sent, and a line of what is in it. */
function notePem(base64: string): void {
  const text = Buffer.from(base64, 'base64').toString();
  const line = /-----\n(.{40,}?)(?:\n|\\n)/.exec(text.replaceAll('\\n', '\n'))?.[1];
  if (line === undefined) throw new Error('there is no line of a key in it');
  const n = secrets.size;
  secret(`private key ${n}`, line);
  secret(`private key ${n}, as it was sent`, base64.slice(0, 64));
}

/** A device of a user of its own. */
async function makeUser(appId: number, platform: string, token: string): Promise<string> {
  const userId = randomUUID();
  const activationId = randomUUID();
  await post('/push/device/create', { appId, token, platform, activationId });
  await stack.db
    .updateTable('devices')
    .set({ userId, activationActive: true })
    .where('activationId', '=', activationId)
    .execute();
  secret(`push token of ${platform} ${secrets.size}`, token);
  return userId;
}

const SENT = { state: 'sent' };

/** Waits until that came of it. */
async function send(appId: number, userId: string, wanted: object = SENT): Promise<void> {
  const body = {
    title: secret(`title ${secrets.size}`),
    body: secret(`text ${secrets.size}`),
    extras: { note: secret(`extra ${secrets.size}`) },
  };
  const message = { userId, attributes: { silent: false }, body };
  const answer = await post('/push/message/send', { appId, message, mode: 'ASYNCHRONOUS' });
  const [id = ''] = answer['messageIds'] as string[];
  await eventually(async () => expect(await listDeliveries(stack.db, id)).toMatchObject([wanted]));
}

async function sendMessages(): Promise<void> {
  const { sandbox } = stack;
  const gone = randomBytes(32).toString('hex');
  const trouble = randomBytes(32).toString('hex');
  const dead = `dead-${randomUUID()}`;
  sandbox.script('apns', BAD_APNS, [{ kind: 'refuse', reason: 'BadDeviceToken', times: 'always' }]);
  sandbox.script('apns', gone, [{ kind: 'refuse', reason: 'Unregistered', times: 'always' }]);
  sandbox.script('apns', trouble, [
    { kind: 'refuse', reason: 'InternalServerError', times: 'always' },
  ]);
  sandbox.script('fcm', dead, [{ kind: 'refuse', reason: 'UNREGISTERED', times: 'always' }]);

  await send(1, await makeUser(1, 'ios', randomBytes(32).toString('hex')));
  await send(1, await makeUser(1, 'ios', BAD_APNS), { reason: 'BadDeviceToken' });
  await send(1, await makeUser(1, 'ios', gone), { reason: 'Unregistered' });
  await send(1, await makeUser(1, 'ios', trouble), { reason: 'InternalServerError' });
  await send(1, await makeUser(1, 'android', `good-${randomUUID()}`));
  await send(1, await makeUser(1, 'android', dead), { reason: 'UNREGISTERED' });
  await send(2, await makeUser(2, 'ios', randomBytes(32).toString('hex')));
  await send(2, await makeUser(2, 'android', `proxied-${randomUUID()}`));

  const text = secret('text of a message that was refused');
  const userId = 'u';
  await refused(
    '/push/message/send',
    wrapped({ appId: 1, message: { userId, body: { title: text.repeat(200) } } }),
  );
  await refused('/push/message/send', wrapped({ appId: 1, message: { body: { title: text } } }));
  await refused('/push/message/send', `{"title": "${text}`);
  await refused(
    '/push/device/create',
    wrapped({ appId: 1, token: secret('push token that was refused'), platform: 'toaster' }),
  );
}

async function sendCampaign(): Promise<void> {
  const userId = await makeUser(1, 'ios', randomBytes(32).toString('hex'));
  const message = { title: secret('title of a campaign'), body: secret('text of a campaign') };
  const { id } = await post('/push/campaign/create', { appId: 1, message });
  await fetch(`${api.url}/push/campaign/${String(id)}/user/add`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ requestObject: [userId] }),
  });
  await post(`/push/campaign/send/live/${String(id)}`, {});
  await eventually(() =>
    expect(
      stack.accepted().filter(({ body }) => JSON.stringify(body).includes(message.title)),
    ).toHaveLength(1),
  );
}

/** Signed pushes, and callbacks of what became of them. */
async function sendSigned(): Promise<void> {
  const { sandbox } = stack;
  const own = await post('/admin/app/callback/create', { appId: 1, url: sandbox.callbackUrl });
  const key = String(own['key']);
  sandbox.addCallbackKey(key, secret('secret of a callback', String(own['secret'])));
  const made = await post('/admin/app/developer-key/create', {
    appId: 1,
    name: 'logs',
    carriers: ['acme.com'],
  });
  const developer = {
    key: String(made['developerKey']),
    secret: secret('developer secret', String(made['secret'])),
  };
  // Nobody listens there.
  await post('/admin/app/callback/create', { appId: 1, url: 'https://127.0.0.1:1/' });
  const userId = await makeUser(1, 'ios', randomBytes(32).toString('hex'));
  const content = secret('text of a signed push');
  const body = JSON.stringify({ appMessage: { content }, push: { content } });

  const path = `/api/1.0/push/${userId}@acme.com`;
  const answer = await fetch(api.url + path, {
    method: 'POST',
    headers: sign(path, body, developer),
    body,
  });
  expect(answer.status).toBe(200);
  await eventually(() =>
    expect(
      stack.accepted().filter((push) => JSON.stringify(push.body).includes(content)),
    ).toHaveLength(1),
  );
  await refused(path, body, sign(path, body, { ...developer, secret: 'another' }));
  await send(1, await makeUser(1, 'ios', randomBytes(32).toString('hex')));
  await sandbox.waitForCallbacks(key, ({ events }) => events.length > 0, PATIENCE_MS);
  await eventually(() => expect(dispatcher.output).toContain('callback failed'), {
    timeoutMs: PATIENCE_MS,
  });
}

function sign(uri: string, body: string, developer: { key: string; secret: string }) {
  const [date, nonce] = [new Date().toUTCString(), randomBytes(12).toString('hex')];
  const contentType = 'application/json';
  const signed = { method: 'POST', uri, body: Buffer.from(body), contentType, date, nonce };
  const signature = signRequest({ ...signed, secret: developer.secret });
  return {
    authorization: toAuthorization({ key: developer.key, nonce, signature }),
    'x-m-date': date,
    'content-type': contentType,
  };
}

async function showKeys(): Promise<void> {
  const { text } = await insertApiKey(stack.db, {
    name: 'logs',
    scopes: ['admin'],
    appRef: null,
    expiresAt: null,
    ratePerSecond: null,
  });
  secret('API key', text);
  const show = (authorization: string) =>
    fetch(`${guarded.url}/admin/app/list`, { headers: { authorization } });

  expect((await show(`Bearer ${text}`)).status).toBe(200);
  expect(
    (await show(`Bearer ${secret('API key that is wrong', `${text.slice(0, -6)}zzzzzz`)}`)).status,
  ).toBe(401);
  expect(
    (await show(`Basic ${Buffer.from(`u:${secret('password')}`).toString('base64')}`)).status,
  ).toBe(401);
}

test('no secret, push token or text is in any log, however much is logged', async () => {
  await saveCredentials();
  await sendMessages();
  await sendCampaign();
  await sendSigned();
  await showKeys();
  for (const service of [api, guarded, dispatcher]) service.kill('SIGTERM');
  await Promise.all([api, guarded, dispatcher].map(({ exited }) => exited));

  const logs = [api, guarded, dispatcher].map(({ output }) => output).join('\n');
  const said = [...secrets].filter(([, text]) =>
    [
      text,
      Buffer.from(text).toString('base64').replace(/=+$/, ''),
      Buffer.from(text).toString('hex'),
    ].some((form) => logs.includes(form)),
  );

  expect(secrets.size).toBeGreaterThan(40);
  // So much is logged that something would be seen: what failed among it.
  for (const words of ['credential checked', 'callback failed', 'listening'])
    expect(logs).toContain(words);
  expect(said.map(([name]) => name)).toEqual([]);
});
