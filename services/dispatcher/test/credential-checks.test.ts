import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:net';

import { createSecretBox, type Environment } from '@heliograph/core';
import {
  claimCredentialChecks,
  findCheckResult,
  insertCredentialCheck,
  recordCheckResult,
  toCheckPlace,
  type CheckResult,
  type CredentialSettings,
} from '@heliograph/db';
import { packCertificateFile } from '@heliograph/providers/certificate';
import { openRedis, publishCheck } from '@heliograph/queue';
import { eventually, toEndpoints } from '@heliograph/testing';

import type { Dispatcher } from '../src/dispatcher.ts';
import { keepLogLines } from './log-lines.ts';
import { openRig, type Rig } from './rig.ts';

const NOBODY = '0'.repeat(64);
/** Longer than any test takes. */
const NEVER_MS = 3_600_000;

let rig: Rig;
const running: Dispatcher[] = [];
beforeAll(async () => {
  rig = await openRig();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((dispatcher) => dispatcher.close()));
  rig.sandbox.clearScripts();
  rig.sandbox.clear();
  await rig.db.deleteFrom('credentialChecks').execute();
});
afterAll(() => rig.close());

function start(changes?: Parameters<Rig['start']>[0]): Dispatcher {
  const dispatcher = rig.start(changes);
  running.push(dispatcher);
  return dispatcher;
}

type Candidate = CredentialSettings & { readonly key: Buffer; readonly environment?: Environment };

function apnsKey(changes: { readonly keyId?: string; readonly key?: Buffer } = {}): Candidate {
  const { privateKeyBase64, ...settings } = rig.sandbox.credentials.apns;
  const { key = Buffer.from(privateKeyBase64, 'base64'), ...more } = changes;
  return { provider: 'apns', settings: { ...settings, ...more }, key };
}

function apnsCertificate(certificateBase64: string): Candidate {
  const { bundle } = rig.sandbox.credentials.apnsCertificate;
  const certificate = { commonName: bundle, topics: [bundle], fingerprint: '', validTo: '' };
  return {
    provider: 'apns',
    settings: { bundle, certificate },
    key: packCertificateFile({ file: Buffer.from(certificateBase64, 'base64') }),
  };
}

function fcm(changes: { readonly projectId?: string; readonly key?: Buffer } = {}): Candidate {
  const { privateKeyBase64, projectId } = rig.sandbox.credentials.fcm;
  const { key = Buffer.from(privateKeyBase64, 'base64') } = changes;
  return { provider: 'fcm', settings: { projectId: changes.projectId ?? projectId }, key };
}

async function ask(
  { key, environment, ...candidate }: Candidate,
  { livesMs = NEVER_MS, secrets = rig.secrets } = {},
): Promise<string> {
  const id = randomUUID();
  const sealedKey = secrets.seal(key, toCheckPlace(id));
  await insertCredentialCheck(
    rig.db,
    { ...candidate, id, environment: environment ?? null, sealedKey },
    livesMs,
  );
  return id;
}

const resultOf = (id: string): Promise<CheckResult> =>
  eventually(async () => {
    const result = await findCheckResult(rig.db, id);
    if (result === undefined) throw new Error('there is no verdict yet');
    return result;
  });

const judge = async (candidate: Candidate) => resultOf(await ask(candidate));

const refuse = (reason: string) => ({ kind: 'refuse', reason, times: 'always' }) as const;

const readChecks = () => rig.db.selectFrom('credentialChecks').selectAll().execute();

describe('a credential that is checked', () => {
  test('is accepted where its provider knows it, and its key is gone then', async () => {
    rig.sandbox.script('apns', NOBODY, [refuse('BadDeviceToken')]);
    const { certificateBase64 } = rig.sandbox.credentials.apnsCertificate;
    start();

    const results = [
      await judge(apnsKey()),
      await judge({ ...apnsKey(), environment: 'development' }),
      await judge(apnsCertificate(certificateBase64)),
      await judge(fcm()),
    ];

    expect(results).toEqual([
      { verdict: 'accepted', reason: 'BadDeviceToken' },
      { verdict: 'accepted', reason: 'BadDeviceToken' },
      { verdict: 'accepted', reason: 'BadDeviceToken' },
      { verdict: 'accepted', reason: null },
    ]);
    expect((await readChecks()).map(({ sealedKey }) => sealedKey)).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect(rig.sandbox.received().map(({ environment }) => environment)).toEqual([
      'production',
      'development',
      'production',
    ]);
  });

  test.each([
    ['BadDeviceToken', 'accepted'],
    ['DeviceTokenNotForTopic', 'accepted'],
    ['Unregistered', 'accepted'],
    ['ExpiredToken', 'accepted'],
    ['TopicDisallowed', 'refused'],
    ['BadTopic', 'refused'],
    ['InvalidProviderToken', 'refused'],
    ['ExpiredProviderToken', 'refused'],
    ['BadEnvironmentKeyIdInToken', 'refused'],
    ['BadCertificate', 'refused'],
    ['BadCertificateEnvironment', 'refused'],
    ['Forbidden', 'refused'],
    ['TooManyRequests', 'unanswered'],
    ['InternalServerError', 'unanswered'],
    ['ServiceUnavailable', 'unanswered'],
    ['PayloadTooLarge', 'unanswered'],
  ])('is by %s of APNs %s', async (reason, verdict) => {
    rig.sandbox.script('apns', NOBODY, [refuse(reason)]);
    start();

    expect(await judge(apnsKey())).toEqual({ verdict, reason });
  });

  test.each([
    ['fcm', 'INVALID_ARGUMENT', 'unanswered'],
    ['fcm', 'UNREGISTERED', 'accepted'],
    ['fcm', 'SENDER_ID_MISMATCH', 'accepted'],
    ['fcm', 'THIRD_PARTY_AUTH_ERROR', 'accepted'],
    ['fcm', 'PERMISSION_DENIED', 'refused'],
    ['fcm', 'UNAUTHENTICATED', 'refused'],
    ['fcm', 'NOT_FOUND', 'refused'],
    ['fcm', 'QUOTA_EXCEEDED', 'unanswered'],
    ['fcm', 'INTERNAL', 'unanswered'],
    ['google-token', 'invalid_grant', 'refused'],
    ['google-token', 'unauthorized_client', 'refused'],
  ] as const)('is by %s’s %s %s', async (provider, reason, verdict) => {
    rig.sandbox.script(provider, '', [refuse(reason)]);
    start();

    expect((await judge(fcm())).verdict).toBe(verdict);
  });

  test('is refused where it is no key at all, or one that its provider never saw', async () => {
    const strange = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const key = Buffer.from(strange.export({ type: 'pkcs8', format: 'pem' }));
    start();

    expect(await judge(apnsKey({ key: Buffer.from('text') }))).toEqual(UNUSABLE);
    expect(await judge(fcm({ key: Buffer.from('{}') }))).toEqual(UNUSABLE);
    expect(await judge({ ...apnsKey(), ...apnsCertificate(''), key: Buffer.from('x') })).toEqual(
      UNUSABLE,
    );
    expect(await judge(apnsKey({ key }))).toEqual({
      verdict: 'refused',
      reason: 'InvalidProviderToken',
    });
    expect((await judge(fcm({ projectId: 'of-somebody-else' }))).verdict).toBe('refused');
  });

  test('is unanswered where its provider is not reached, or says nothing', async () => {
    const endpoints = toEndpoints(rig.sandbox);
    const url = `https://127.0.0.1:${await findClosedPort()}`;
    start({
      endpoints: {
        ...endpoints,
        apns: { ...endpoints.apns, production: url },
        fcm: { ...endpoints.fcm, tokenUrl: `${url}/token` },
      },
    });
    rig.sandbox.script('apns', NOBODY, [{ kind: 'silence' }]);

    const [unreached, silent, tokenless] = await Promise.all([
      judge(apnsKey()),
      judge({ ...apnsKey(), environment: 'development' }),
      judge(fcm()),
    ]);

    expect([unreached, silent, tokenless].map(({ verdict }) => verdict)).toEqual([
      'unanswered',
      'unanswered',
      'unanswered',
    ]);
    expect(unreached.reason).toBe('ECONNREFUSED');
  });

  test('is unanswered where its provider is not whom it says, for that is no fault of the credential', async () => {
    const endpoints = toEndpoints(rig.sandbox);
    const { production, development } = endpoints.apns;
    start({ endpoints: { ...endpoints, apns: { production, development } } });
    const { certificateBase64 } = rig.sandbox.credentials.apnsCertificate;

    const results = [await judge(apnsKey()), await judge(apnsCertificate(certificateBase64))];

    expect(results.map(({ verdict }) => verdict)).toEqual(['unanswered', 'unanswered']);
  });

  test('leaves no trace in what messages are sent with', async () => {
    const redis = openRedis(rig.redisUrl, 'command', () => undefined);
    await new Promise((resolve) => redis.once('ready', resolve));
    const app = await rig.makeSendingApp();
    rig.sandbox.script('apns', NOBODY, [refuse('InvalidProviderToken')]);
    rig.sandbox.script('fcm', '', [refuse('QUOTA_EXCEEDED')]);
    start();

    await Promise.all([judge(apnsKey()), judge(apnsKey()), judge(fcm())]);

    for (const table of ['pauses', 'answerCounts', 'tokenFaults', 'guardDecisions'] as const)
      expect(await rig.db.selectFrom(table).selectAll().execute()).toEqual([]);
    const keys = await redis.keys(`${rig.prefix}*`);
    expect(keys.filter((key) => /secret|pace/.test(key))).toEqual([]);
    rig.sandbox.clearScripts();
    const phone = await rig.device(app);
    expect(await rig.finished(await rig.post(app, phone.userId))).toMatchObject([
      { state: 'sent', attempts: 1 },
    ]);
    redis.disconnect();
  });
});

describe('dispatchers', () => {
  test('look when they are told that there is something to check', async () => {
    const redis = openRedis(rig.redisUrl, 'command', () => undefined);
    await new Promise((resolve) => redis.once('ready', resolve));
    start({ checkEveryMs: NEVER_MS });
    const id = await ask(apnsKey());

    const result = await eventually(async () => {
      await publishCheck(redis, rig.prefix, () => undefined);
      const found = await findCheckResult(rig.db, id);
      if (found === undefined) throw new Error('there is no verdict yet');
      return found;
    });

    expect(result.verdict).toBe('accepted');
    redis.disconnect();
  });

  test('check each credential once, however many of them there are', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => ask(apnsKey())));
    rig.sandbox.script('apns', NOBODY, [refuse('BadDeviceToken')]);

    for (let n = 0; n < 3; n += 1) start();
    const results = await Promise.all(ids.map(resultOf));

    expect(results.every(({ verdict }) => verdict === 'accepted')).toBe(true);
    expect(rig.sandbox.received()).toHaveLength(6);
  });

  test('take over from one that died, which has no say any more', async () => {
    const id = await ask(apnsKey());
    const [dead] = await claimCredentialChecks(rig.db, 1, 1);
    if (dead === undefined) throw new Error('nothing was claimed');

    start();
    const result = await resultOf(id);
    const late = await recordCheckResult(rig.db, dead, { verdict: 'refused', reason: 'late' });

    expect(result.verdict).toBe('accepted');
    expect(late).toBe(false);
    expect(await findCheckResult(rig.db, id)).toEqual(result);
  });

  test('leave to others what they were at when they stop', async () => {
    rig.sandbox.script('apns', NOBODY, [{ kind: 'silence' }, refuse('BadDeviceToken')]);
    const id = await ask(apnsKey());
    const stopping = start({ checkLeaseMs: NEVER_MS });
    await rig.sandbox.waitFor(1);

    await stopping.close();
    start();

    expect(await resultOf(id)).toEqual({ verdict: 'accepted', reason: 'BadDeviceToken' });
  });

  test('that lack the key of a candidate say so, and have no verdict', async () => {
    const { log, of } = keepLogLines();
    const behind = start({ log, checkLeaseMs: 1 });
    const id = await ask(apnsKey(), { secrets: createSecretBox(randomBytes(32)) });

    await eventually(() =>
      expect(of('credential to be checked cannot be opened')).not.toHaveLength(0),
    );
    await behind.close();

    expect(await findCheckResult(rig.db, id)).toBeUndefined();
  });

  test('erase what nobody has asked for any more', async () => {
    await ask(apnsKey(), { livesMs: 0 });

    start();
    await eventually(async () => expect(await readChecks()).toEqual([]));

    expect(rig.sandbox.received()).toEqual([]);
  });
});

const UNUSABLE = { verdict: 'refused', reason: 'unusable_key' };

/** One that nobody listens at. */
async function findClosedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  return address.port;
}
