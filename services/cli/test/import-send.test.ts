import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import {
  eventually,
  openTestRedis,
  spawnService,
  type SpawnedService,
  type TestRedis,
} from '@heliograph/testing';

import { openImportRig, type ImportRig } from './import-rig.ts';
import { openOriginal, type Original } from './original.ts';

let rig: ImportRig;
let newer: Original;
let redis: TestRedis;
let sandbox: Sandbox;
let folder: string;
let api: SpawnedService;
let dispatcher: SpawnedService;

const toToken = (n: number) => n.toString(16).padStart(64, '0');
const MESSAGE = '{"title":"From the original","extras":{"a":1}}';

/** An app of each shape with keys that the fake providers take, imported, and the services on what came of it. */
beforeAll(async () => {
  rig = await openImportRig('1.1');
  newer = await openOriginal('head', rig.target.url, 'newer');
  redis = await openTestRedis();
  sandbox = await createSandbox();
  folder = mkdtempSync(path.join(tmpdir(), 'heliograph-import-'));
  writeFileSync(path.join(folder, 'ca.pem'), sandbox.caPem);
  await fillOlder(rig.original);
  await fillNewer(newer);
  expect((await rig.run()).code).toBe(0);
  expect((await rig.run(`--from=${newer.url}`, '--name=newer')).code).toBe(0);

  const env = toServiceEnv();
  api = spawnService('api', env);
  dispatcher = spawnService('dispatcher', env);
  await Promise.all([api.waitReady(), dispatcher.waitReady()]);
}, 120_000);

afterAll(async () => {
  for (const service of [api, dispatcher]) {
    service.kill();
    await service.exited;
  }
  rmSync(folder, { recursive: true });
  await sandbox.close();
  await newer.close();
  await rig.close();
});

function toServiceEnv(): Record<string, string> {
  return {
    ...rig.env,
    SECRETS_KEY_FILE: '',
    REDIS_URL: redis.url,
    QUEUE_PREFIX: redis.prefix,
    APNS_URL: sandbox.apnsUrl,
    APNS_SANDBOX_URL: sandbox.apnsDevelopmentUrl,
    APNS_CA_FILE: path.join(folder, 'ca.pem'),
    FCM_URL: sandbox.fcmUrl,
    FCM_TOKEN_URL: sandbox.tokenUrl,
    FCM_CA_FILE: path.join(folder, 'ca.pem'),
  };
}

async function fillOlder(original: Original): Promise<void> {
  const { apns, fcm } = sandbox.credentials;
  await original.insert('push_app_credentials', {
    id: 11,
    app_id: 2,
    ios_private_key: Buffer.from(apns.privateKeyBase64, 'base64'),
    ios_team_id: apns.teamId,
    ios_key_id: apns.keyId,
    ios_bundle: apns.bundle,
    android_private_key: Buffer.from(fcm.privateKeyBase64, 'base64'),
    android_project_id: fcm.projectId,
  });
  await original.insert(
    'push_device_registration',
    toDevice(1, { app_id: 2, platform: 'ios', user_id: 'alice' }),
    toDevice(2, { app_id: 2, platform: 'android', user_id: 'alice', is_active: false }),
    toDevice(3, { app_id: 2, platform: 'ios', user_id: 'bob' }),
  );
  await original.insert('push_campaign', { id: 40, app_id: 2, message: MESSAGE, is_sent: false });
  await original.insert('push_campaign_user', { id: 1, campaign_id: 40, user_id: 'bob' });
}

async function fillNewer(original: Original): Promise<void> {
  const { apns } = sandbox.credentials;
  await original.insert('push_app_credentials', {
    id: 5,
    app_id: 'mobile',
    apns_private_key: Buffer.from(apns.privateKeyBase64, 'base64'),
    apns_team_id: apns.teamId,
    apns_key_id: apns.keyId,
    apns_bundle: apns.bundle,
    apns_environment: 'development',
  });
  await original.insert(
    'push_device_registration',
    toDevice(4, { app_id: 5, platform: 'apns', user_id: 'carol', environment: 'development' }),
  );
}

function toDevice(id: number, facts: Readonly<Record<string, unknown>>) {
  return {
    id,
    activation_id: `activation-${id}`,
    push_token: toToken(id),
    timestamp_last_registered: '2021-06-11 09:00:00',
    is_active: true,
    ...facts,
  };
}

async function call(method: string, route: string, requestObject?: unknown): Promise<unknown> {
  const answer = await fetch(api.url + route, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(requestObject === undefined ? {} : { body: JSON.stringify({ requestObject }) }),
  });
  const body = (await answer.json()) as { responseObject?: unknown };
  expect([answer.status, body]).toEqual([200, body]);
  return body.responseObject;
}

function tokensOf(title: string): readonly string[] {
  return sandbox
    .received()
    .filter((push) => JSON.stringify(push).includes(title))
    .map((push) => push.token)
    .toSorted();
}

describe('the api over an imported database', () => {
  test('shows the apps with the public part of their credentials', async () => {
    const { apns, fcm } = sandbox.credentials;

    const list = await call('GET', '/admin/app/list');
    const detail = await call('POST', '/admin/app/detail', {
      appId: 2,
      includeIos: true,
      includeAndroid: true,
    });

    expect(list).toMatchObject({
      applicationList: [
        { appId: 2, ios: true, android: true },
        { appId: 'mobile', ios: true, android: false },
      ],
    });
    expect(detail).toMatchObject({
      iosBundle: apns.bundle,
      iosKeyId: apns.keyId,
      iosTeamId: apns.teamId,
      androidProjectId: fcm.projectId,
    });
  });

  test('shows campaigns under their numbers, with their users', async () => {
    const detail = await call('GET', '/push/campaign/40/detail');
    const users = await call('GET', '/push/campaign/40/user/list?page=0&size=10');

    expect(detail).toMatchObject({
      id: 40,
      appId: 2,
      sent: false,
      message: { title: 'From the original', extras: { a: 1 } },
    });
    expect(users).toEqual({ campaignId: 40, users: ['bob'] });
  });

  test('sends to imported devices with imported keys, and personal messages to active ones only', async () => {
    const send = (appId: unknown, userId: string, title: string, personal: boolean) =>
      call('POST', '/push/message/send', {
        appId,
        message: { userId, attributes: { personal, silent: false }, body: { title } },
        mode: 'SYNCHRONOUS',
      });

    const all = await send(2, 'alice', 'to all', false);
    const personal = await send(2, 'alice', 'personal', true);
    const newest = await send('mobile', 'carol', 'to carol', false);

    expect(all).toMatchObject({ ios: { sent: 1, total: 1 }, android: { sent: 1, total: 1 } });
    expect(personal).toMatchObject({ ios: { sent: 1, total: 1 }, android: { sent: 0, total: 0 } });
    expect(newest).toMatchObject({ apns: { sent: 1, total: 1 } });
    expect(tokensOf('to all')).toEqual([toToken(1), toToken(2)]);
    expect(tokensOf('personal')).toEqual([toToken(1)]);
    expect(tokensOf('to carol')).toEqual([toToken(4)]);
  });

  test('sends an imported campaign live, which a later import then leaves alone', async () => {
    await call('POST', '/push/campaign/send/live/40');
    await eventually(() => expect(tokensOf('From the original')).toEqual([toToken(3)]));
    await eventually(async () =>
      expect(await call('GET', '/push/campaign/40/detail')).toMatchObject({ sent: true }),
    );

    await rig.original.run(`UPDATE push_campaign SET timestamp_created = '2021-06-11'`);
    await rig.run();

    expect(await call('GET', '/push/campaign/40/detail')).toMatchObject({ sent: true });
  });
});
