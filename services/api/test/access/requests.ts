import { randomBytes } from 'node:crypto';

import { claimDue, listDeliveries, recordUpdates, saveSender, type Db } from '@heliograph/db';
import { toSentUpdate } from '@heliograph/testing';
import { sql } from 'kysely';

import type { Names } from './world.ts';

/** How a route is asked for something of an app. */
export interface RequestEntry {
  /**
   * `thing`: it names something of an app. `list`: it shows things of all apps that are the caller's. `every_app`: it is for nobody who is
   * bound to an app. `nothing`: it is about no app.
   */
  readonly kind: 'thing' | 'list' | 'every_app' | 'nothing';
  /** The input, wherever the endpoint takes it from. */
  readonly input?: (names: Names) => Readonly<Record<string, unknown>>;
  /** What stands for `:id` in the path; the campaign unless given. */
  readonly path?: (names: Names) => string;
  /** Brings the app into the state in which there is something to see. */
  readonly prepare?: (db: Db, names: Names) => Promise<unknown>;
  /** Who is refused a thing of others is told it by success. */
  readonly missingIsFine?: boolean;
}

function thing(input: NonNullable<RequestEntry['input']> = () => ({})): RequestEntry {
  return { kind: 'thing', input };
}

const LIST: RequestEntry = { kind: 'list' };
const NOTHING: RequestEntry = { kind: 'nothing' };
const OF_CAMPAIGN = thing();
const byAppId = thing(({ appId }) => ({ appId }));
const byDeveloperKey = thing(({ developerKey }) => ({ developerKey }));
const byCallback = thing(({ callbackId }) => ({ callbackId }));
const byApplications = thing(({ userId, appId }) => ({ userId, applications: appId }));
const byUserAndApp = thing(({ userId, appId }) => ({ userId, appId }));
const held = thing(({ appId }) => ({ appId, provider: 'ios' }));

const byConsoleUser = (more: object) =>
  thing(({ consoleUser }) => ({ name: consoleUser, ...more }));

const message = (userId: string) => ({ userId, body: { title: 'Hello' } });
const apns = { bundle: 'b', keyId: 'k', teamId: 't', privateKeyBase64: 'aGVsbG8=' };
const fcm = { projectId: 'p', privateKeyBase64: 'aGVsbG8=' };

/** Every route, by its first method and path. */
export const REQUESTS: Readonly<Record<string, RequestEntry>> = {
  'get /push/service/status': NOTHING,
  'post /push/device/create': thing(({ appId, token, activationId }) => ({
    appId,
    token,
    activationId,
    platform: 'ios',
  })),
  'post /push/device/create/multi': thing(({ appId, token, activationId }) => ({
    appId,
    token,
    activationIds: [activationId],
    platform: 'ios',
  })),
  'post /push/device/delete': thing(({ appId, token }) => ({ appId, token })),
  'post /push/device/status/update': {
    ...thing(({ activationId }) => ({ activationId, activationStatus: 'BLOCKED' })),
    missingIsFine: true,
  },
  'post /push/message/send': thing(({ appId, userId }) => ({ appId, message: message(userId) })),
  'post /push/message/batch/send': thing(({ appId, userId }) => ({
    appId,
    batch: [message(userId)],
  })),
  'get /push/message/:id': { ...thing(), path: ({ messageId }) => messageId },
  'get /push/delivery/list': { kind: 'list', input: ({ userId }) => ({ userId }) },
  'get /push/overview': LIST,
  'get /push/failure/list': { kind: 'list', prepare: failDelivery },
  'get /push/failure/deliveries': {
    ...thing(({ appId }) => ({
      appId,
      platform: 'ios',
      lane: 'message',
      reason: 'PayloadTooLarge',
    })),
    prepare: failDelivery,
  },
  'post /push/failure/replay': { ...thing(({ appId }) => ({ appId })), prepare: failDelivery },
  'post /push/campaign/create': thing(({ appId }) => ({ appId, message: { title: 'Hello' } })),
  'post /push/campaign/:id/delete': { ...OF_CAMPAIGN, missingIsFine: true, prepare: endRuns },
  'get /push/campaign/:id/detail': OF_CAMPAIGN,
  'get /push/campaign/list': { kind: 'list', input: () => ({ all: true }) },
  'post /push/campaign/preview': thing(({ appId }) => ({ appId, message: { title: appId } })),
  'post /push/campaign/:id/user/add-all': OF_CAMPAIGN,
  'put /push/campaign/:id/user/add': { ...OF_CAMPAIGN, input: () => ['new user'] as never },
  'get /push/campaign/:id/user/count': OF_CAMPAIGN,
  'get /push/campaign/:id/user/list': { ...OF_CAMPAIGN, missingIsFine: true },
  'post /push/campaign/:id/user/delete': {
    ...thing(({ userId }) => [userId] as never),
    missingIsFine: true,
  },
  'post /push/campaign/send/test/:id': thing(({ userId }) => ({ userId })),
  'post /push/campaign/send/live/:id': OF_CAMPAIGN,
  'get /push/campaign/:id/run': OF_CAMPAIGN,
  'get /push/campaign/:id/run/timeline': OF_CAMPAIGN,
  'get /push/campaign/:id/run/list': { ...OF_CAMPAIGN, missingIsFine: true },
  'get /push/campaign/:id/run/events': OF_CAMPAIGN,
  'post /push/campaign/:id/run/pause': OF_CAMPAIGN,
  'post /push/campaign/:id/run/resume': OF_CAMPAIGN,
  'post /push/campaign/:id/run/cancel': OF_CAMPAIGN,
  'post /push/campaign/:id/run/approve': OF_CAMPAIGN,
  'post /push/campaign/:id/run/rate': thing(() => ({ ratePerSecond: 5 })),
  'get /push/campaign/:id/run/devices': OF_CAMPAIGN,
  'post /inbox/messages': thing(({ userId, appId }) => ({
    userId,
    type: 'text',
    subject: 'A subject',
    summary: 'A summary',
    body: 'A whole body',
    applications: [appId],
  })),
  'get /inbox/messages/list': byApplications,
  'get /inbox/messages/count': byUserAndApp,
  'get /inbox/messages/detail': thing(({ inboxId }) => ({ id: inboxId })),
  'post /inbox/messages/read': thing(({ inboxId }) => ({ inboxId })),
  'put /inbox/messages/read': thing(({ inboxId }) => ({ inboxId })),
  'post /inbox/messages/read-all': byUserAndApp,
  'put /inbox/messages/read-all': byUserAndApp,
  'get /inbox/messages/stream': byApplications,
  'get /admin/app/list': LIST,
  'get /admin/app/unconfigured/list': { kind: 'list', prepare: removeCredentials },
  'post /admin/app/detail': byAppId,
  'post /admin/app/create': {
    kind: 'every_app',
    input: ({ appId }) => ({ appId: `${appId}-new` }),
  },
  'post /admin/app/ios/update': thing(({ rowId }) => ({ id: rowId, ...apns })),
  'post /admin/app/ios/remove': thing(({ rowId }) => ({ id: rowId })),
  'post /admin/app/android/update': thing(({ rowId, appId }) => ({ id: rowId, appId, ...fcm })),
  'post /admin/app/android/remove': byAppId,
  'post /admin/app/apns': thing(({ appId }) => ({ appId, ...apns, environment: 'production' })),
  'delete /admin/app/apns': byAppId,
  'post /admin/app/apns/certificate': thing(({ appId }) => ({
    appId,
    certificateBase64: 'aGVsbG8=',
  })),
  'post /admin/app/fcm': thing(({ appId }) => ({ appId, ...fcm })),
  'delete /admin/app/fcm': byAppId,
  'post /admin/app/proxy': thing(({ appId }) => ({
    appId,
    platform: 'ios',
    url: 'https://example.com/push',
    basicUsername: 'u',
    basicPassword: 'p',
  })),
  'delete /admin/app/proxy': thing(({ appId }) => ({ appId, platform: 'ios' })),
  'post /admin/app/hms': NOTHING,
  'post /admin/app/huawei/update': NOTHING,
  'post /admin/app/huawei/remove': NOTHING,
  'post /admin/app/developer-key/create': thing(({ appId }) => ({
    appId,
    name: 'new',
    carriers: ['c'],
  })),
  'get /admin/app/developer-key/list': byAppId,
  'post /admin/app/developer-key/disable': byDeveloperKey,
  'post /admin/app/developer-key/enable': byDeveloperKey,
  'post /admin/app/developer-key/rotate': byDeveloperKey,
  'post /admin/key/create': thing(({ appId }) => ({ appId, name: 'new', scopes: ['admin'] })),
  'get /admin/key/list': LIST,
  'post /admin/key/revoke': thing(({ keyId }) => ({ keyId })),
  'post /admin/user/create': thing(({ appId, consoleUser }) => ({
    appId,
    name: `new-${consoleUser}`,
    role: 'admin',
  })),
  'get /admin/user/list': LIST,
  'post /admin/user/role': byConsoleUser({ role: 'admin' }),
  'post /admin/user/password': byConsoleUser({}),
  'post /admin/user/disable': byConsoleUser({}),
  'post /admin/user/enable': byConsoleUser({}),
  'post /admin/user/remove': byConsoleUser({}),
  'get /admin/audit/list': { kind: 'list', input: () => ({ limit: 1000 }) },
  'post /admin/app/liveperson': thing(({ appId, brandId }) => ({ appId, brandId, name: 'new' })),
  'get /admin/app/liveperson/list': LIST,
  'post /admin/app/liveperson/remove': thing(({ appId, brandId }) => ({ appId, brandId })),
  'post /admin/app/liveperson/certificate/remove': thing(({ appId, brandId }) => ({
    appId,
    brandId,
    fingerprint: 'ab'.repeat(32),
  })),
  'get /admin/pause/list': LIST,
  'post /admin/pause/resume': thing(({ pauseId }) => ({ id: pauseId })),
  'get /admin/guard/list': LIST,
  'post /admin/guard/apply': held,
  'post /admin/guard/discard': held,
  'post /admin/device/restore': thing(({ appId, token }) => ({ appId, token })),
  'get /admin/certificate/list': { kind: 'list', prepare: storeCertificate },
  'get /admin/device/pruning/list': { kind: 'list', prepare: pruneDevice },
  'post /admin/device/restore-all': {
    ...thing(({ appId }) => ({ appId, since: '2026-01-01T00:00:00Z' })),
    prepare: pruneDevice,
  },
  'get /admin/device/stale/list': { kind: 'list', prepare: holdStale },
  'post /admin/device/stale/approve': { ...held, prepare: holdStale },
  'post /admin/user/export': byUserAndApp,
  'post /admin/user/erase': byUserAndApp,
  'post /admin/app/callback/create': thing(({ developerKey }) => ({
    developerKey,
    url: 'https://example.com/outcomes',
  })),
  'get /admin/app/callback/list': byAppId,
  'post /admin/app/callback/delete': byCallback,
  'post /admin/app/callback/rotate': byCallback,
  'post /admin/app/callback/test': byCallback,
  'post /admin/app/callback/resume': byCallback,
  'get /admin/app/callback/calls': byCallback,
  'post /admin/app/callback/resend': {
    ...thing(({ callbackId }) => ({ callbackId, callId: callbackId })),
    prepare: makeCall,
  },
  'get /push/callback/events': byAppId,
};

async function endRuns(db: Db, { campaignId }: Names): Promise<void> {
  await db.deleteFrom('campaignRuns').where('campaignId', '=', campaignId).execute();
}

/** The one delivery of the app's message has failed. */
async function failDelivery(db: Db, { messageId }: Names): Promise<void> {
  const ids = (await listDeliveries(db, messageId)).map(({ id }) => id);
  const [claimed] = await claimDue(db, ids, 60_000);
  if (claimed === undefined) throw new Error('there is nothing to fail');
  const sent = toSentUpdate(claimed.id, claimed.leaseEpoch);
  await recordUpdates(db, [{ ...sent, state: 'failed', reason: 'PayloadTooLarge' }]);
}

/** Its id is the callback's. */
async function makeCall(db: Db, { callbackId }: Names): Promise<void> {
  await sql`
    INSERT INTO callback_calls (id, endpoint_ref, events, after_xid, after_id, end_xid, end_id, result, taken)
    OVERRIDING SYSTEM VALUE
    SELECT id, id, 0, '0', gen_random_uuid(), '0', gen_random_uuid(), '503', false FROM callback_endpoints WHERE id = ${callbackId}
    ON CONFLICT (id) DO NOTHING`.execute(db);
}

async function removeCredentials(db: Db, { rowId }: Names): Promise<void> {
  await db.deleteFrom('credentials').where('appRef', '=', rowId).execute();
}

async function pruneDevice(db: Db, { deviceId }: Names): Promise<void> {
  await db
    .updateTable('devices')
    .set({ tokenDeactivatedAt: new Date(), tokenDeactivatedReason: 'stale' })
    .where('id', '=', deviceId)
    .execute();
}

async function holdStale(db: Db, { rowId }: Names): Promise<void> {
  await db
    .insertInto('staleChecks')
    .values({
      appRef: rowId,
      provider: 'apns',
      devices: 10,
      stale: 9,
      staleBefore: new Date(),
      heldSince: new Date(),
      heldBecause: 'too_many',
      approvedBefore: null,
      settledAt: null,
    })
    .execute();
}

async function storeCertificate(db: Db, { rowId, brandId }: Names): Promise<void> {
  await saveSender(db, {
    appRef: rowId,
    brandId,
    certificate: {
      fingerprint: randomBytes(32),
      commonName: 'Chat',
      validTo: new Date(Date.now() + 86_400_000),
    },
  });
}
