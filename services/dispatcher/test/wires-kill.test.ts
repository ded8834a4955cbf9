import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { signRequest, toAuthorization } from '@heliograph/core';
import type { ReceivedPush } from '@heliograph/sandbox';
import { eventually, makeDevice, type SpawnedService } from '@heliograph/testing';

import { openStack, type Stack } from './stack.ts';

jest.setTimeout(360_000);

const USERS = 250;
const KILLS = 3;
const APP_ID = 1;
const PUSHES_AT_ONCE = 8;
const ATTEMPT_MS = 10_000;
/** For an api that was killed to be there again, and for pushes to arrive. */
const PATIENCE_MS = 90_000;

/** What all sends of a delivery have in common: for APNs its id, for a proxy its key. */
const deliveryOf = ({ headers }: ReceivedPush) =>
  headers['apns-id'] ?? headers['idempotency-key'] ?? '';

/** The services under fire: whoever calls takes the one that runs now. */
interface Fleet {
  api: SpawnedService;
  dispatcher: SpawnedService;
}

/** An event that a callback was told. */
interface Told {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly deliveryId: string; readonly messageId: string };
}

interface DeveloperKey {
  readonly developerKey: string;
  readonly secret: string;
}

/** An app whose iPhones are reached by APNs and whose Android devices by the customer's proxy, with users who have one of each. */
async function makeUsers(stack: Stack): Promise<string[]> {
  await stack.makeSendingApp();
  const users = Array.from({ length: USERS }, (_, n) => `user-${n}`);
  for (const userId of users) {
    await makeDevice(stack.db, 1, { userId, provider: 'apns' });
    await makeDevice(stack.db, 1, { userId, provider: 'fcm' });
  }
  return users;
}

async function useProxy(stack: Stack, api: SpawnedService): Promise<void> {
  const { sandbox } = stack;
  await stack.call(api, 'PUT', '/admin/app/proxy', {
    appId: APP_ID,
    platform: 'android',
    url: sandbox.proxyUrl,
    ...sandbox.credentials.proxy,
  });
}

async function makeKey(stack: Stack, api: SpawnedService): Promise<DeveloperKey> {
  const made = await stack.call(api, 'POST', '/admin/app/developer-key/create', {
    appId: APP_ID,
    name: 'kill',
    carriers: ['acme.com'],
  });
  return { developerKey: String(made['developerKey']), secret: String(made['secret']) };
}

/** Has the fake receiver told of the app's outcomes, and of those of the developer key. Answers the keys that sign the calls. */
async function makeCallbacks(stack: Stack, api: SpawnedService, key: DeveloperKey) {
  const { sandbox } = stack;
  const create = (owner: object) =>
    stack.call(api, 'POST', '/admin/app/callback/create', { ...owner, url: sandbox.callbackUrl });
  const made = await create({ appId: APP_ID });
  const appKey = String(made['key']);
  sandbox.addCallbackKey(appKey, String(made['secret']));
  await create({ developerKey: key.developerKey });
  sandbox.addCallbackKey(key.developerKey, key.secret);
  return { appKey, developerKey: key.developerKey };
}

/** Every event of the app as a caller reads them behind a cursor, in their order. */
async function listEvents(stack: Stack, api: SpawnedService): Promise<readonly Told[]> {
  const events: Told[] = [];
  for (let after = ''; ;) {
    const query = new URLSearchParams({ appId: String(APP_ID), limit: '1000' });
    if (after !== '') query.set('after', after);
    const answer = await stack.call(api, 'GET', `/push/callback/events?${query}`);
    const page = answer['events'] as Told[];
    if (page.length === 0) return events;
    events.push(...page);
    after = String(answer['cursor']);
  }
}

/**
 * A signed push to each user, several at a time; one that was not answered goes again as it was. Answers the ids of those that were
 * accepted, and how many were refused as repeats of one whose answer got lost.
 */
async function pushAll(fleet: Fleet, key: DeveloperKey, users: readonly string[]) {
  const ids: string[] = [];
  let repeats = 0;
  const left = users.values();
  await Promise.all(
    Array.from({ length: PUSHES_AT_ONCE }, async () => {
      for (const userId of left) {
        const requestId = await pushTo(fleet, key, userId);
        if (requestId === undefined) repeats += 1;
        else ids.push(requestId);
      }
    }),
  );
  return { ids, repeats };
}

/** Undefined where it was accepted, and its answer got lost. */
async function pushTo(fleet: Fleet, key: DeveloperKey, userId: string) {
  const request = sign(key, `/api/1.0/push/${userId}@acme.com`);
  const deadline = Date.now() + PATIENCE_MS;
  for (let unanswered = 0; Date.now() < deadline; unanswered += 1) {
    const answer = await attempt(() => fetch(fleet.api.url + request.path, request.init()));
    if (answer?.status === 200) return answer.body.requestId;
    if (answer?.status === 401 && unanswered > 0) return undefined;
    if (answer && answer.status < 500) throw new Error(`refused: ${JSON.stringify(answer)}`);
    await sleep(50);
  }
  throw new Error(`${request.path} is not answered`);
}

function sign({ developerKey, secret }: DeveloperKey, path: string) {
  const body = JSON.stringify({ appMessage: { content: 'Hi' }, push: { content: 'Hi' } });
  const [date, nonce] = [new Date().toUTCString(), randomBytes(12).toString('hex')];
  const contentType = 'application/json';
  const signed = { method: 'POST', uri: path, body: Buffer.from(body), contentType, date, nonce };
  const signature = signRequest({ ...signed, secret });
  const headers = {
    authorization: toAuthorization({ key: developerKey, nonce, signature }),
    'x-m-date': date,
    'content-type': contentType,
  };
  const init = () => ({
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.timeout(ATTEMPT_MS),
  });
  return { path, init };
}

/** Undefined where there was no answer: before, during or after the request was taken. */
async function attempt(send: () => Promise<Response>) {
  try {
    const response = await send();
    const body = (await response.json()) as { requestId: string };
    return { status: response.status, body };
  } catch {
    return undefined;
  }
}

/** A message to each user; what was not answered goes again, as a message of its own. Answers the ids of those that were accepted. */
async function sendAll(stack: Stack, fleet: Fleet, users: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const userId of users) {
    const message = { userId, body: { title: 'Hi' } };
    const request = { appId: APP_ID, message, mode: 'ASYNCHRONOUS' };
    const answer = await eventually(
      () => stack.call(fleet.api, 'POST', '/push/message/send', request),
      { timeoutMs: PATIENCE_MS },
    );
    ids.push(...(answer['messageIds'] as string[]));
  }
  return ids;
}

/** Deliveries that arrived and are not recorded as sent, once what the dead had written has arrived. */
async function countUnrecorded(stack: Stack): Promise<number> {
  for (let before = -1; before !== stack.accepted().length; await sleep(1_000))
    before = stack.accepted().length;
  const rows = await stack.db
    .selectFrom('deliveries')
    .select('id')
    .where('state', '=', 'sent')
    .execute();
  const sent = new Set(rows.map(({ id }) => id));
  const arrived = new Set(stack.accepted().map(deliveryOf));
  return [...arrived].filter((id) => !sent.has(id)).length;
}

/** Kills dispatcher and api by turns, as pushes arrive. Answers how many pushes may be repeated for that. */
async function killByTurns(stack: Stack, fleet: Fleet): Promise<number> {
  let mayRepeat = 0;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const wanted = (kill * USERS) / 2;
    await eventually(() => expect(stack.countAccepted()).toBeGreaterThan(wanted), {
      timeoutMs: PATIENCE_MS,
    });
    fleet.dispatcher.kill('SIGKILL');
    fleet.api.kill('SIGKILL');
    await Promise.all([fleet.dispatcher.exited, fleet.api.exited]);
    mayRepeat += await countUnrecorded(stack);
    [fleet.api, fleet.dispatcher] = await Promise.all([stack.startApi(), stack.startDispatcher()]);
  }
  return mayRepeat;
}

const toIds = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);

/** Each delivery arrived, and what arrived again is within what may. */
function expectArrived(stack: Stack, ids: readonly string[], options: { mayRepeat: number }): void {
  const arrived = stack.accepted().map(deliveryOf);
  expect(new Set(arrived)).toEqual(new Set(ids));
  expect(arrived.length - ids.length).toBeLessThanOrEqual(options.mayRepeat);
}

/** The receiver was told of each delivery, under one id, with one outcome; calls were signed, and repeats are as they were. */
async function expectTold(stack: Stack, key: string, ids: readonly string[]): Promise<void> {
  const isComplete = ({ events }: { events: readonly unknown[] }) => events.length >= ids.length;
  const log = await stack.sandbox.waitForCallbacks(key, isComplete, 60_000);
  const told = log.events.map(({ content }) => content as unknown as Told);
  expect(told.map(({ data }) => data.deliveryId).toSorted()).toEqual(ids.toSorted());
  expect(told.filter(({ type }) => type !== 'delivery.sent')).toEqual([]);
  const { refusedCalls, contradictions, orderViolations } = log;
  expect({ refusedCalls, contradictions, orderViolations }).toEqual({
    refusedCalls: 0,
    contradictions: [],
    orderViolations: [],
  });
}

describe('kill -9 of api and dispatcher, with signed pushes, a proxy and callbacks in the mix', () => {
  test('loses nothing that was accepted, and repeats at most what was sent and not recorded', async () => {
    const stack = await openStack();
    try {
      const users = await makeUsers(stack);
      const fleet = { api: await stack.startApi(), dispatcher: await stack.startDispatcher() };
      await useProxy(stack, fleet.api);
      const key = await makeKey(stack, fleet.api);
      const callbacks = await makeCallbacks(stack, fleet.api, key);
      // They have their own troubles, too.
      stack.sandbox.script('proxy', {}, [{ kind: 'refuse', reason: '503', times: 5 }]);
      stack.sandbox.script('callback', callbacks.appKey, [{ kind: 'refuse', reason: '503' }]);
      stack.sandbox.script('callback', callbacks.developerKey, [{ kind: 'tcp-reset' }]);

      const [mayRepeat, pushed, sentIds] = await Promise.all([
        killByTurns(stack, fleet),
        pushAll(fleet, key, users),
        sendAll(stack, fleet, users),
      ]);
      const rows = await stack.db
        .selectFrom('messages')
        .select(['id', 'developerKeyRef'])
        .execute();
      const messageIds = rows.map(({ id }) => id);
      await stack.settled(messageIds);

      const deliveries = await stack.db
        .selectFrom('deliveries')
        .select(['id', 'messageId', 'state'])
        .execute();

      expect(pushed.ids.length + pushed.repeats).toBe(USERS);
      expect(messageIds).toEqual(expect.arrayContaining([...pushed.ids, ...sentIds]));
      expect(deliveries.filter(({ state }) => state !== 'sent')).toEqual([]);
      expect(deliveries).toHaveLength(2 * messageIds.length);
      expectArrived(stack, toIds(deliveries), { mayRepeat });
      const own = new Set(rows.filter((row) => row.developerKeyRef !== null).map(({ id }) => id));
      expect(own.size).toBe(USERS);
      const byKey = deliveries.filter(({ messageId }) => own.has(messageId));
      await expectTold(stack, callbacks.appKey, toIds(deliveries));
      await expectTold(stack, callbacks.developerKey, toIds(byKey));
      const told = stack.sandbox.callbacks(callbacks.appKey).events.map(({ id }) => id);
      expect(told).toEqual(toIds(await listEvents(stack, fleet.api)));
    } finally {
      await stack.close();
    }
  });
});
