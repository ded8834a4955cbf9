import { randomUUID } from 'node:crypto';

import {
  createMessageId,
  createRunId,
  OUTCOME_CODES,
  toRunDeliveryId,
  type DeliveryState,
} from '@heliograph/core';
import { freezePage, insertMessages, type AttemptRecord } from '@heliograph/db';
import { findAppId, makeApp, makeDevice, makeRun, toMessage } from '@heliograph/testing';
import { sql } from 'kysely';

import { openTestApi, type TestApi } from '../../../test/open-test-api.ts';

let api: TestApi;
let nextRunAt = Date.parse('2026-01-05T00:00:00Z');

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

interface Item {
  readonly deliveryId: string;
  readonly deviceId: number;
  readonly lane?: string;
  readonly userId: string | null;
  readonly activationId: string | null;
}

/** An app with both credentials, and a campaign in it for these users. */
async function createCampaign(users: readonly string[]) {
  const appRef = await makeApp(api.db);
  const appId = await findAppId(api.db, appRef);
  const created = await api.post('/push/campaign/create', { appId, message: { title: 'x' } });
  const { id: campaignId } = created.body.responseObject;
  await api.call('PUT', `/push/campaign/${campaignId}/user/add`, { requestObject: users });
  return { appRef, appId, campaignId };
}

/** A run of the campaign whose audience is frozen; nobody sends it. */
async function freezeRun(campaign: { campaignId: number; appRef: number }) {
  const id = await makeRun(api.db, campaign, { id: createRunId((nextRunAt += 60_000)) });
  while (await freezePage(api.db, id));
  return id;
}

/** A run without an audience, and with these chunks: devices by their ids, each with an outcome. */
async function storeRun(
  campaign: { campaignId: number; appRef: number },
  chunks: readonly (readonly number[])[],
) {
  const runId = await freezeRun(campaign);
  await api.db
    .insertInto('campaignChunks')
    .values(
      chunks.map((codes, ordinal) => ({
        runId,
        ordinal,
        provider: ordinal % 2 === 0 ? ('apns' as const) : ('fcm' as const),
        firstDeviceId: 1e9 + ordinal * 1000,
        lastDeviceId: 1e9 + ordinal * 1000 + codes.length - 1,
        deviceIds: codes.map((_, index) => `${1e9 + ordinal * 1000 + index}`),
        tokenHashes: Buffer.alloc(16 * codes.length),
        userHashes: codes.map(() => '0'),
        outcomes: Buffer.from(codes),
        dueAt: null,
        pauseId: null,
        expiresAt: null,
      })),
    )
    .execute();
  return runId;
}

function codeOf(state: DeliveryState, reason: string | null): number {
  const entry = OUTCOME_CODES.find((one) => one.state === state && one.reason === reason);
  if (entry === undefined) throw new Error(`no code for ${state} ${reason}`);
  return entry.code;
}

/** Writes what came of a device in a run, as a dispatcher would, and answers the delivery's id. */
async function setOutcome(
  runId: string,
  deviceId: number,
  code: number,
  exception?: {
    userId: string | null;
    state: DeliveryState;
    reason: string | null;
    history?: readonly AttemptRecord[];
  },
) {
  const { rows } = await sql<{ place: number; provider: 'apns' | 'fcm' }>`
    UPDATE campaign_chunks SET outcomes = set_byte(outcomes, array_position(device_ids, ${deviceId}) - 1, ${code}::integer)
    WHERE run_id = ${runId} AND ${deviceId} = ANY (device_ids)
    RETURNING ordinal * 1000 + array_position(device_ids, ${deviceId}) - 1 AS place, provider`.execute(
    api.db,
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`device ${deviceId} is not in the run`);
  if (exception !== undefined)
    await api.db
      .insertInto('campaignExceptions')
      .values({
        runId,
        ordinal: row.place,
        deviceId,
        provider: row.provider,
        userId: exception.userId,
        state: exception.state,
        reason: exception.reason,
        attempts: 2,
        ambiguousAttempts: 0,
        nextAttemptAt: exception.state === 'pending' ? new Date('2026-06-01T10:00:00Z') : null,
        finishedAt: exception.state === 'pending' ? null : new Date('2026-06-01T11:00:00Z'),
        providerMessageId: null,
        history: exception.history === undefined ? null : JSON.stringify(exception.history),
      })
      .execute();
  return toRunDeliveryId(runId, row.place);
}

const ATTEMPT: AttemptRecord = {
  at: '2026-06-01T10:59:59.000Z',
  outcome: 'gone',
  reason: 'BadDeviceToken',
  status: 400,
  endpoint: 'api.push.apple.com',
  environment: 'production',
  credentialVersion: 1,
  latencyMs: 5,
};

/** Stores a message of that instant for the user, and answers its deliveries' ids. */
async function sendMessage(appRef: number, userId: string, at = Date.now()) {
  const message = toMessage(appRef, userId, { id: createMessageId(at) });
  const stored = await insertMessages(api.db, [message]);
  await api.db
    .updateTable('messages')
    .set({ createdAt: new Date(at) })
    .where('id', '=', message.id)
    .execute();
  return { messageId: message.id, ids: stored.map((one) => one.id).toSorted() };
}

async function trace(query: Readonly<Record<string, string | number>>): Promise<readonly Item[]> {
  const answer = await api.get(`/push/delivery/list?${toQuery(query)}`);
  expect(answer.status).toBe(200);
  return answer.body.responseObject.deliveries as Item[];
}

function toQuery(query: Readonly<Record<string, string | number>>): string {
  const texts = Object.entries(query).map(([name, value]) => [name, String(value)] as const);
  return new URLSearchParams(Object.fromEntries(texts)).toString();
}

const ids = (items: readonly Item[]) => items.map((item) => item.deliveryId);
const REFUSED = {
  status: 'ERROR',
  responseObject: { code: 'ERROR_GENERIC', message: expect.any(String) },
};

describe('GET /push/delivery/list', () => {
  test('shows what a user was sent in both lanes, with all that is known, the latest first', async () => {
    const userId = randomUUID();
    const campaign = await createCampaign([userId]);
    const { appRef, appId, campaignId } = campaign;
    const device = await makeDevice(api.db, appRef, { userId });
    const early = await sendMessage(appRef, userId, Date.parse('2026-01-01T00:00:00Z'));
    const runId = await freezeRun(campaign);
    const ofRun = await setOutcome(runId, device.id, codeOf('failed', 'BadDeviceToken'), {
      userId,
      state: 'failed',
      reason: 'BadDeviceToken',
      history: [ATTEMPT],
    });
    const late = await sendMessage(appRef, userId, Date.now() + 60_000);

    const items = await trace({ userId });

    const shared = {
      appId,
      createdAt: expect.stringMatching(/\+00:00$/),
      platform: 'ios',
      deviceId: device.id,
      userId,
      activationId: device.activationId,
    };
    const message = {
      ...shared,
      lane: 'message',
      state: 'pending',
      attempts: 0,
      nextAttemptAt: expect.stringMatching(/\+00:00$/),
      history: [],
    };
    expect(items).toEqual([
      { ...message, messageId: late.messageId, deliveryId: late.ids[0] },
      {
        ...shared,
        lane: 'campaign',
        campaignId,
        runId,
        deliveryId: ofRun,
        state: 'failed',
        reason: 'BadDeviceToken',
        attempts: 2,
        finishedAt: '2026-06-01T11:00:00.000+00:00',
        history: [{ ...ATTEMPT, at: '2026-06-01T10:59:59.000+00:00' }],
      },
      { ...message, messageId: early.messageId, deliveryId: early.ids[0] },
    ]);
  });

  test('shows every device of the user, on either platform, and nobody else’s', async () => {
    const [userId, other] = [randomUUID(), randomUUID()];
    const campaign = await createCampaign([userId, other]);
    const { appRef } = campaign;
    const ios = await makeDevice(api.db, appRef, { userId });
    const android = await makeDevice(api.db, appRef, { userId, provider: 'fcm' });
    const others = await makeDevice(api.db, appRef, { userId: other });
    const runs = [await freezeRun(campaign), await freezeRun(campaign)];
    for (const runId of runs)
      for (const device of [ios, android, others]) await setOutcome(runId, device.id, 1);
    await sendMessage(appRef, userId);
    await sendMessage(appRef, other);

    const items = await trace({ userId });

    expect(items.filter((item) => item.lane === 'message')).toHaveLength(2);
    expect(items.filter((item) => item.lane === 'campaign')).toHaveLength(4);
    expect(new Set(items.map((item) => item.deviceId))).toEqual(new Set([ios.id, android.id]));
    expect(items).toContainEqual(
      expect.objectContaining({
        runId: runs[0],
        platform: 'android',
        state: 'sent',
        attempts: 1,
        history: [],
      }),
    );
  });

  test('shows those of one lane, of one app, and no more than asked for', async () => {
    const userId = randomUUID();
    const [one, two] = [await createCampaign([userId]), await createCampaign([userId])];
    for (const campaign of [one, two]) {
      await makeDevice(api.db, campaign.appRef, { userId });
      await freezeRun(campaign);
      await sendMessage(campaign.appRef, userId);
    }

    const all = await trace({ userId });
    const messages = await trace({ userId, lane: 'message' });
    const campaigns = await trace({ userId, lane: 'campaign' });
    const inApp = await trace({ userId, appId: one.appId });
    const latest = await trace({ userId, size: 3 });

    const laneOf = (lane: string) => all.filter((item) => item.lane === lane);
    expect(all).toHaveLength(4);
    expect(messages).toEqual(laneOf('message'));
    expect(campaigns).toEqual(laneOf('campaign'));
    expect(new Set(inApp.map((item) => item.lane))).toEqual(new Set(['campaign', 'message']));
    expect(inApp).toEqual(inApp.map(() => expect.objectContaining({ appId: one.appId })));
    expect(latest).toEqual(all.slice(0, 3));
  });

  test('shows one device’s, by its id and by its activation', async () => {
    const userId = randomUUID();
    const campaign = await createCampaign([userId]);
    const device = await makeDevice(api.db, campaign.appRef, { userId });
    await makeDevice(api.db, campaign.appRef, { userId });
    await freezeRun(campaign);
    await sendMessage(campaign.appRef, userId);

    const byDevice = await trace({ deviceId: device.id });
    const byActivation = await trace({ activationId: device.activationId });

    const all = await trace({ userId });
    expect(all).toHaveLength(4);
    expect(byDevice).toEqual(all.filter((item) => item.deviceId === device.id));
    expect(byActivation).toEqual(byDevice);
    expect(await trace({ deviceId: device.id, lane: 'campaign' })).toHaveLength(1);
  });

  test('finds a delivery of either lane by its id, in any case of letters', async () => {
    const userId = randomUUID();
    const campaign = await createCampaign([userId]);
    await makeDevice(api.db, campaign.appRef, { userId });
    const runId = await freezeRun(campaign);
    const { messageId } = await sendMessage(campaign.appRef, userId);

    const all = await trace({ userId });
    const found = await Promise.all(ids(all).map((deliveryId) => trace({ deliveryId })));
    const [shouted] = ids(all).map((id) => id.toUpperCase());

    expect(all.map((item) => item.lane)).toEqual(expect.arrayContaining(['message', 'campaign']));
    expect(found).toEqual(all.map((item) => [item]));
    expect(await trace({ deliveryId: shouted ?? '' })).toEqual([all[0]]);
    const none = [messageId, runId, toRunDeliveryId(runId, 1), toRunDeliveryId(runId, 7000)];
    for (const deliveryId of [...none, randomUUID()])
      expect(await trace({ deliveryId })).toEqual([]);
    const { appId } = await createCampaign([]);
    expect(await trace({ deliveryId: ids(all)[0] ?? '', appId })).toEqual([]);
  });

  test('a delivery of a campaign is found here only', async () => {
    const userId = randomUUID();
    const campaign = await createCampaign([userId]);
    await makeDevice(api.db, campaign.appRef, { userId });
    await freezeRun(campaign);
    const [deliveryId] = ids(await trace({ userId, lane: 'campaign' }));

    const answer = await api.get(`/push/message/${deliveryId}`);

    expect(answer.status).toBe(404);
  });

  test('of a device that is gone it shows what names its user, and all campaigns by its id', async () => {
    const [userId, other] = [randomUUID(), randomUUID()];
    const campaign = await createCampaign([userId, other]);
    await makeDevice(api.db, campaign.appRef, { userId: other });
    const device = await makeDevice(api.db, campaign.appRef, { userId });
    const plain = await freezeRun(campaign);
    const failed = await freezeRun(campaign);
    const sentId = await setOutcome(plain, device.id, 1);
    const failedId = await setOutcome(failed, device.id, codeOf('failed', 'Unregistered'), {
      userId,
      state: 'failed',
      reason: 'Unregistered',
    });
    const { ids: messageIds } = await sendMessage(campaign.appRef, userId);
    await api.db.deleteFrom('devices').where('id', '=', device.id).execute();

    const byUser = await trace({ userId });
    const byDevice = await trace({ deviceId: device.id });

    expect(new Set(ids(byUser))).toEqual(new Set([...messageIds, failedId]));
    expect(byUser).toEqual(
      byUser.map(() => expect.objectContaining({ userId, activationId: null })),
    );
    expect(byDevice).toMatchObject([
      { deliveryId: failedId, userId, activationId: null },
      { deliveryId: sentId, userId: null, activationId: null },
    ]);
    expect(await trace({ activationId: device.activationId })).toEqual([]);
  });

  test('what a device got under another user is not its new user’s', async () => {
    const [before, after] = [randomUUID(), randomUUID()];
    const campaign = await createCampaign([before, after]);
    const device = await makeDevice(api.db, campaign.appRef, { userId: before });
    const runId = await freezeRun(campaign);
    const deliveryId = await setOutcome(runId, device.id, codeOf('skipped', 'device_reassigned'), {
      userId: after,
      state: 'skipped',
      reason: 'device_reassigned',
    });
    const { ids: messageIds } = await sendMessage(campaign.appRef, before);
    await api.db
      .updateTable('devices')
      .set({ userId: after })
      .where('id', '=', device.id)
      .execute();

    const ofBefore = await trace({ userId: before });
    const ofAfter = await trace({ userId: after });
    const ofDevice = await trace({ deviceId: device.id });

    expect(ofBefore).toMatchObject([
      { deliveryId: messageIds[0], userId: before, activationId: null },
    ]);
    expect(ofAfter).toEqual([]);
    expect(ofDevice).toMatchObject([
      { deliveryId, userId: null, activationId: null, reason: 'device_reassigned' },
    ]);
  });

  test('finds a device where it was when it has moved to the other platform', async () => {
    const userId = randomUUID();
    const campaign = await createCampaign([userId]);
    const device = await makeDevice(api.db, campaign.appRef, { userId });
    await makeDevice(api.db, campaign.appRef, { userId, provider: 'fcm' });
    await freezeRun(campaign);
    await api.db
      .updateTable('devices')
      .set({ provider: 'fcm' })
      .where('id', '=', device.id)
      .execute();

    const items = await trace({ userId });

    expect(items.find((item) => item.deviceId === device.id)).toMatchObject({ platform: 'ios' });
    expect(items).toHaveLength(2);
  });

  test('says when what was deferred is tried again, and that what was not tried was not', async () => {
    const userId = randomUUID();
    const campaign = await createCampaign([userId]);
    const device = await makeDevice(api.db, campaign.appRef, { userId });
    const runs = [];
    for (let n = 0; n < 3; n += 1) runs.push(await freezeRun(campaign));
    const [owed = '', deferred = '', cancelled = ''] = runs;
    await setOutcome(deferred, device.id, codeOf('pending', 'deferred'), {
      userId,
      state: 'pending',
      reason: 'ECONNREFUSED',
    });
    await setOutcome(cancelled, device.id, codeOf('skipped', 'cancelled'));

    const items = await trace({ userId });

    const bare = { attempts: 0, history: [] };
    expect(items).toMatchObject([
      { ...bare, runId: cancelled, state: 'skipped', reason: 'cancelled' },
      {
        runId: deferred,
        state: 'pending',
        reason: 'ECONNREFUSED',
        attempts: 2,
        nextAttemptAt: '2026-06-01T10:00:00.000+00:00',
      },
      { ...bare, runId: owed, state: 'pending' },
    ]);
  });

  test('answers nothing for whom nothing was sent to', async () => {
    expect(await trace({ userId: randomUUID() })).toEqual([]);
    expect(await trace({ deviceId: Number.MAX_SAFE_INTEGER })).toEqual([]);
    expect(await trace({ activationId: randomUUID() })).toEqual([]);
  });

  test.each([
    '',
    'appId=1',
    'userId=',
    'userId=a&deviceId=1',
    'activationId=a&deliveryId=019b8a5e-0000-7000-8000-000000000001',
    'userId=a&userId=b',
    `userId=${'x'.repeat(256)}`,
    'userId=a%00b',
    'deviceId=x',
    'deviceId=0',
    'deliveryId=x',
    'userId=a&appId=unknown',
    'userId=a&lane=mail',
    'userId=a&size=0',
    'userId=a&size=201',
    'userId=a&size=many',
  ])('refuses %j', async (query) => {
    const answer = await api.get(`/push/delivery/list?${query}`);

    expect(answer).toMatchObject({ status: 400, body: REFUSED });
  });
});

interface Page {
  readonly runId: string;
  readonly devices: readonly Item[];
  readonly next: string | null;
}

async function listDevices(
  campaignId: number,
  query: Readonly<Record<string, string | number>> = {},
): Promise<Page> {
  const answer = await api.get(`/push/campaign/${campaignId}/run/devices?${toQuery(query)}`);
  expect(answer.status).toBe(200);
  return (JSON.parse(answer.text) as { responseObject: Page }).responseObject;
}

const SENT = 1;
const BAD_TOKEN = codeOf('failed', 'BadDeviceToken');
const CANCELLED = codeOf('skipped', 'cancelled');
const EXPIRED = codeOf('expired', 'expired');
const DEFERRED = codeOf('pending', 'deferred');

describe('GET /push/campaign/:id/run/devices', () => {
  test('lists the devices at which the latest run failed, with all that is known of them', async () => {
    const userId = randomUUID();
    const campaign = await createCampaign([userId]);
    const { appRef, campaignId } = campaign;
    const sent = await makeDevice(api.db, appRef, { userId });
    const failed = await makeDevice(api.db, appRef, { userId, provider: 'fcm' });
    const earlier = await freezeRun(campaign);
    await setOutcome(earlier, sent.id, BAD_TOKEN);
    const runId = await freezeRun(campaign);
    await setOutcome(runId, sent.id, SENT);
    const deliveryId = await setOutcome(runId, failed.id, codeOf('failed', 'other'), {
      userId,
      state: 'failed',
      reason: 'THIRD_PARTY_AUTH_ERROR',
      history: [ATTEMPT],
    });

    const answer = await api.get(`/push/campaign/${campaignId}/run/devices`);

    expect(answer.body).toEqual({
      status: 'OK',
      responseObject: {
        campaignId,
        runId,
        devices: [
          {
            deliveryId,
            platform: 'android',
            deviceId: failed.id,
            userId,
            activationId: failed.activationId,
            state: 'failed',
            reason: 'THIRD_PARTY_AUTH_ERROR',
            attempts: 2,
            finishedAt: '2026-06-01T11:00:00.000+00:00',
            history: [{ ...ATTEMPT, at: '2026-06-01T10:59:59.000+00:00' }],
          },
        ],
        next: null,
      },
    });
    const [first] = (await listDevices(campaignId, { runId: earlier })).devices;
    expect(first?.deviceId).toBe(sent.id);
  });

  test('lists by state, by reason, by both, and by platform', async () => {
    const campaign = await createCampaign([]);
    const { campaignId } = campaign;
    const codes = [0, SENT, DEFERRED, EXPIRED, CANCELLED, BAD_TOKEN];
    await storeRun(campaign, [codes, [BAD_TOKEN]]);
    const list = async (query: Readonly<Record<string, string>>) =>
      (await listDevices(campaignId, query)).devices.map((item) => item.deviceId - 1e9);

    expect(await list({})).toEqual([5, 1000]);
    expect(await list({ state: 'pending' })).toEqual([0, 2]);
    expect(await list({ state: 'sent' })).toEqual([1]);
    expect(await list({ state: 'expired' })).toEqual([3]);
    expect(await list({ reason: 'cancelled' })).toEqual([4]);
    expect(await list({ reason: 'deferred' })).toEqual([2]);
    expect(await list({ state: 'failed', reason: 'BadDeviceToken' })).toEqual([5, 1000]);
    expect(await list({ state: 'sent', reason: 'BadDeviceToken' })).toEqual([]);
    expect(await list({ reason: 'Unregistered' })).toEqual([]);
    expect(await list({ platform: 'ios' })).toEqual([5]);
    expect(await list({ platform: 'FCM' })).toEqual([1000]);
  });

  test.each([7, 60, 1000])(
    'leads through many chunks by pages of %d without gaps or repeats',
    async (size) => {
      const campaign = await createCampaign([]);
      const chunks = Array.from({ length: 150 }, (_, n) =>
        n % 10 === 3 ? [SENT, SENT, SENT] : [BAD_TOKEN, SENT, n % 3 === 0 ? BAD_TOKEN : EXPIRED],
      );
      const runId = await storeRun(campaign, chunks);
      const all = chunks.flatMap((codes, chunk) =>
        codes.flatMap((code, index) => (code === BAD_TOKEN ? [chunk * 1000 + index] : [])),
      );

      const found: string[] = [];
      const sizes: number[] = [];
      for (let next: string | null = ''; next !== null;) {
        const query = next === '' ? { size } : { size, after: next };
        const page = await listDevices(campaign.campaignId, query);
        found.push(...ids(page.devices));
        sizes.push(page.devices.length);
        next = page.next;
      }

      expect(found).toEqual(all.map((place) => toRunDeliveryId(runId, place)));
      expect(sizes.slice(0, -1).every((length) => length === size)).toBe(true);
      expect(sizes).toHaveLength(Math.ceil(all.length / size));
    },
  );

  test('pages stay those of one run when there is a later one', async () => {
    const campaign = await createCampaign([]);
    const runId = await storeRun(campaign, [[BAD_TOKEN, BAD_TOKEN]]);
    const first = await listDevices(campaign.campaignId, { size: 1 });
    const later = await storeRun(campaign, [[BAD_TOKEN, BAD_TOKEN, BAD_TOKEN]]);

    const second = await listDevices(campaign.campaignId, { size: 1, after: first.next ?? '' });

    expect(second).toMatchObject({ runId, next: null });
    expect(ids(second.devices)).toEqual([toRunDeliveryId(runId, 1)]);
    const query = toQuery({ runId: later, after: first.next ?? '' });
    const answer = await api.get(`/push/campaign/${campaign.campaignId}/run/devices?${query}`);
    expect(answer).toMatchObject({ status: 400, body: REFUSED });
  });

  test('names the user of a device that is gone where the failure did, and nobody of one that moved', async () => {
    const [userId, other] = [randomUUID(), randomUUID()];
    const campaign = await createCampaign([userId]);
    const { appRef, campaignId } = campaign;
    const [gone, moved] = [
      await makeDevice(api.db, appRef, { userId }),
      await makeDevice(api.db, appRef, { userId }),
    ];
    const runId = await freezeRun(campaign);
    const failure = { userId, state: 'failed', reason: 'BadDeviceToken' } as const;
    await setOutcome(runId, gone.id, BAD_TOKEN, failure);
    await setOutcome(runId, moved.id, BAD_TOKEN);
    await api.db.deleteFrom('devices').where('id', '=', gone.id).execute();
    await api.db.updateTable('devices').set({ userId: other }).where('id', '=', moved.id).execute();

    const { devices } = await listDevices(campaignId);

    expect(devices).toMatchObject([
      { deviceId: gone.id, userId, activationId: null },
      { deviceId: moved.id, userId: null, activationId: null },
    ]);
  });

  test('refuses a run that is none of the campaign’s, and a campaign without any', async () => {
    const [with_, without] = [await createCampaign([]), await createCampaign([])];
    const runId = await storeRun(with_, [[BAD_TOKEN]]);
    const get = async (campaignId: number, query = '') =>
      (await api.get(`/push/campaign/${campaignId}/run/devices${query}`)).status;

    expect(await get(without.campaignId)).toBe(404);
    expect(await get(without.campaignId, `?runId=${runId}`)).toBe(404);
    expect(await get(with_.campaignId, `?runId=${randomUUID()}`)).toBe(404);
    expect(await get(with_.campaignId, '?runId=x')).toBe(404);
    expect(await get(without.campaignId, `?after=${toRunDeliveryId(runId, 0)}`)).toBe(404);
  });

  test.each([
    'state=lost',
    'reason=unknown',
    'reason=baddevicetoken',
    'platform=hms',
    'platform=x',
    'after=x',
    'size=0',
    'size=1001',
    'size=-1',
    'size=many',
  ])('refuses %s', async (query) => {
    const campaign = await createCampaign([]);
    await storeRun(campaign, [[BAD_TOKEN]]);

    const answer = await api.get(`/push/campaign/${campaign.campaignId}/run/devices?${query}`);

    expect(answer).toMatchObject({ status: 400, body: REFUSED });
  });
});
