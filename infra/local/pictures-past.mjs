// What has happened before the pictures are taken: apps, campaigns in every state, failures of several causes, and what stands still.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { call, openClient } from './admin.mjs';
import { until } from './demo-checks.mjs';

const APP = 'sunrise-bank';
const READERS = 1_200;
const AT_ONCE = 32;
const HOUR_MS = 3_600_000;

/** Makes all of it through the API, as people and backends would. Resolves with the names that addresses take. */
export async function furnish(stack) {
  const client = await openClient(stack.api);
  await makeApps(stack, client);
  await makeKeys(stack, client);
  await makePeople(client);
  const callback = await makeCallbacks(stack, client);
  await registerReaders(client);
  await sendMessages(client);
  await breakThings(client);
  const names = await makeCampaigns(client);
  await untilTrue('everything has failed that should', async () => {
    const { failureList } = await client.failures.list({});
    const { pruningList } = await client.devices.listPrunings({ by: 'hour' });
    const { pauseList } = await client.pauses.list();
    return failureList.length >= 3 && pruningList.length > 0 && pauseList.length > 0;
  });
  return { ...names, callback };
}

async function makeApps({ api, sandbox: { credentials, proxyUrl } }, client) {
  const make = (appId, appName) => client.apps.create({ appId, appName });
  await make(APP, 'Sunrise Bank');
  await make('harbour-news', 'Harbour News');
  await make('north-airlines', 'North Airlines');
  await make('city-transit', 'City Transit');
  await make('orchard-market', 'Orchard Market');
  for (const appId of [APP, 'harbour-news'])
    await client.apps.saveApns({ appId, ...credentials.apns, environment: 'production' });
  for (const appId of [APP, 'harbour-news', 'north-airlines'])
    await client.apps.saveFcm({ appId, ...credentials.fcm });
  // Of another app: Apple refuses it.
  await client.apps.saveApns({
    appId: 'north-airlines',
    ...credentials.apns,
    bundle: 'com.example.north-airlines',
    environment: 'production',
  });
  await client.apps.saveApnsCertificate({
    appId: 'city-transit',
    certificateBase64: credentials.apnsCertificate.certificateBase64,
  });
  await client.apps.saveProxy({
    appId: 'city-transit',
    platform: 'android',
    url: `${proxyUrl}/push`,
    basicUsername: credentials.proxy.basicUsername,
    basicPassword: credentials.proxy.basicPassword,
  });
  await call(api, 'POST', '/admin/app/detail', { appId: APP });
}

async function makeKeys({ sandbox: { folder } }, client) {
  await client.apiKeys.create({ name: 'Payments backend', scopes: ['send', 'read'], appId: APP });
  await client.apiKeys.create({
    name: 'Mobile gateway',
    scopes: ['devices'],
    appId: APP,
    ratePerSecond: 500,
  });
  await client.apiKeys.create({
    name: 'Reporting',
    scopes: ['read'],
    expiresAt: new Date(Date.now() + 90 * 24 * HOUR_MS).toISOString(),
  });
  const { keyId } = await client.apiKeys.create({ name: 'Old batch job', scopes: ['send'] });
  await client.apiKeys.revoke({ keyId });

  await client.developerKeys.create({
    appId: APP,
    name: 'Card team',
    carriers: ['sunrise.example'],
  });
  const old = await client.developerKeys.create({
    appId: APP,
    name: 'Loans team',
    carriers: ['sunrise.example', 'loans.example'],
  });
  await client.developerKeys.disable({ developerKey: old.developerKey });

  await client.livePerson.saveSender({
    appId: APP,
    brandId: '40218837',
    name: 'Sunrise chat',
    certificatePem: toCertificate(readFileSync(path.join(folder, 'client.pem'), 'utf8')),
    basic: { username: 'sunrise-chat' },
  });
}

function toCertificate(pem) {
  return /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(pem)?.[0];
}

async function makePeople(client) {
  await client.consoleUsers.create({ name: 'grace', role: 'editor', appId: APP });
  await client.consoleUsers.create({ name: 'linus', role: 'sender' });
  await client.consoleUsers.create({ name: 'marie', role: 'viewer' });
  await client.consoleUsers.create({ name: 'edsger', role: 'sender' });
  await client.consoleUsers.disable({ name: 'edsger' });
}

async function makeCallbacks({ controlUrl, sandbox }, client) {
  const { key, secret } = await client.callbacks.create({
    appId: APP,
    url: sandbox.callbackUrl,
    types: ['delivery'],
  });
  await fetch(`${controlUrl}/callbacks/keys`, {
    method: 'POST',
    body: JSON.stringify({ key, secret }),
  });
  // Nobody told this receiver about its key: it refuses what it is told.
  const { id } = await client.callbacks.create({
    appId: APP,
    url: `${sandbox.callbackUrl}/ledger`,
  });
  return id;
}

/** Half of them on each platform; one of forty has a token that fails in some way. */
async function registerReaders(client) {
  const APNS = ['fa114100', 'fa114130', 'fa114002'];
  const FCM = ['fault-UNREGISTERED', 'fault-INVALID_ARGUMENT'];
  const users = toUsers('reader', READERS);
  await inParallel(users, (userId, n) => {
    const isFaulty = n % 40 < 2;
    const turn = Math.floor(n / 40);
    return n % 2 === 0
      ? registerIos(client, APP, userId, isFaulty ? APNS[turn % APNS.length] : '')
      : registerAndroid(client, APP, userId, isFaulty ? FCM[turn % FCM.length] : 'token');
  });
  await registerIos(client, APP, 'alice', 'fa014290');
  await registerAndroid(client, APP, 'alice', 'token');
}

async function sendMessages(client) {
  const send = (userId, title, body) =>
    client.messages.send({ appId: APP, message: { userId, body: { title, body } } });
  await send('alice', 'Card payment', '24.90 at Café Lumière');
  await send('alice', 'Salary has arrived', 'Your account was credited.');
  for (const [n, userId] of toUsers('saver', 24).entries()) {
    if (n % 2 === 0) await registerIos(client, APP, userId, n % 4 === 0 ? 'fa114130' : 'fa114002');
    else await registerAndroid(client, APP, userId, 'fault-INVALID_ARGUMENT');
    await send(userId, 'Your savings plan', 'A new month begins.');
  }
}

/** A credential that Apple refuses, and tokens of the wrong environment in such numbers that nobody is taken out. */
async function breakThings(client) {
  const send = (appId, userId) =>
    client.messages.send({
      appId,
      message: { userId, body: { title: 'Hello', body: 'It is late.' } },
    });
  await registerIos(client, 'north-airlines', 'pilot-1');
  await send('north-airlines', 'pilot-1');
  const readers = toUsers('subscriber', 60);
  await inParallel(readers, (userId) => registerIos(client, 'harbour-news', userId, 'dededede'));
  await inParallel(readers, (userId) => send('harbour-news', userId));
}

async function makeCampaigns(client) {
  const make = async (title, body, users, appId = APP) => {
    const { id } = await client.campaigns.create({ appId, message: { title, body } });
    if (users.length > 0) await client.campaigns.addUsers(id, users);
    return id;
  };
  const readers = toUsers('reader', READERS);
  const untilIn = (campaignId, runId, state) =>
    untilTrue(`campaign ${campaignId} is ${state}`, async () => {
      const run = await client.runs.get(campaignId, { runId });
      return run.state === state;
    });
  const count = async (id) => {
    const { runId } = await client.campaigns.sendLive(id, { dryRun: true });
    await untilIn(id, runId, 'completed');
  };

  const done = await make('Spring rates', 'Save for longer, and for more.', [
    ...readers,
    'nobody-yet',
  ]);
  await count(done);
  const doneRun = await client.campaigns.sendLive(done);
  await untilIn(done, doneRun.runId, 'completed');

  const cancelled = await make('Branch closed today', 'We are back on Monday.', readers);
  const toCancel = await startLater(client, cancelled);
  await client.runs.cancel(cancelled, { runId: toCancel });

  const canary = await make('A new way to pay', 'Hold your phone to the till.', readers);
  const canaryRun = await client.campaigns.sendLive(canary, { canaryPercent: 5 });
  await untilIn(canary, canaryRun.runId, 'paused');

  await make('City Transit says hello', 'Lines 4 and 7 run again.', [], 'city-transit');
  const scheduled = await make(
    'Good morning',
    'Your month in three numbers.',
    readers.slice(0, 400),
  );
  await startLater(client, scheduled);

  const paused = await make(
    'Terms of use',
    'They change in May. What is new?',
    readers.slice(0, 800),
  );
  const pausedRun = await startLater(client, paused);
  await client.runs.pause(paused, { runId: pausedRun });

  const counted = await make('Travel insurance', 'For the way there and back.', readers);
  await count(counted);

  const live = await make('Midsummer bonus', 'Until Sunday: a little more on everything.', readers);
  await count(live);
  // So slow that it is still under way in the last of the pictures.
  const liveRun = await startNow(client, live, { ratePerSecond: 3 });
  await untilTrue('the live send has come some way', async () => {
    const { counts } = await client.runs.get(live, { runId: liveRun });
    return counts.total.sent >= 40;
  });
  return { done, doneRun: doneRun.runId, counted, live, liveRun };
}

/** Begins in a day: until then it can be paused and cancelled. Resolves with the run's id. */
function startLater(client, campaignId) {
  const startAt = new Date(Date.now() + 24 * HOUR_MS).toISOString();
  return startNow(client, campaignId, { startAt });
}

/** The call may last as long as the run: the run is looked for meanwhile. */
async function startNow(client, campaignId, options) {
  void client.campaigns.sendLive(campaignId, options).catch(() => undefined);
  let found;
  await untilTrue(`campaign ${campaignId} has a run`, async () => {
    for await (const { runs } of client.runs.list(campaignId).pages()) {
      found = runs.find(({ dryRun }) => !dryRun);
      return found !== undefined;
    }
    return false;
  });
  return found.runId;
}

function toUsers(name, count) {
  return Array.from({ length: count }, (_, n) => `${name}-${n + 1}`);
}

let tokens = 0;

function registerIos(client, appId, userId, beginning = '') {
  tokens += 1;
  const token = beginning + tokens.toString(16).padStart(64 - beginning.length, '0');
  const activationId = `${userId}-ios`;
  return client.devices.register({ appId, userId, activationId, platform: 'ios', token });
}

function registerAndroid(client, appId, userId, beginning) {
  tokens += 1;
  const token = `${beginning}-${userId}-${tokens}`;
  const activationId = `${userId}-android`;
  return client.devices.register({ appId, userId, activationId, platform: 'android', token });
}

async function inParallel(items, act) {
  const entries = items.entries();
  const work = async () => {
    for (const [n, item] of entries) await act(item, n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function untilTrue(what, read) {
  if (!(await until(read, Boolean))) throw new Error(`It is not so that ${what}.`);
}
