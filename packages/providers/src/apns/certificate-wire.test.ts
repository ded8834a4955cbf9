import { createSandbox, type Sandbox } from '@heliograph/sandbox';
import { toEndpoints } from '@heliograph/testing';
import { createProviderPool, type ProviderPool } from '../provider-pool.ts';
import {
  createApnsToken,
  createPush,
  openWire,
  toApnsCertificateCredential,
  toApnsCredential,
  type Wire,
} from '../test-fixtures.ts';

const DAY_MS = 86_400_000;

let sandbox: Sandbox;
let wire: Wire;
let pool: ProviderPool;
let now: Date;

beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  now = new Date();
  wire = await openWire(sandbox.apnsUrl);
  const endpoints = toEndpoints(sandbox);
  pool = createProviderPool({
    endpoints: { ...endpoints, apns: { ...endpoints.apns, production: wire.url } },
    idleMs: 60_000,
    clock: () => now,
  });
});
afterEach(async () => {
  await pool.close();
  await wire.close();
});

const send = (credential: Parameters<ProviderPool['get']>[0]) =>
  pool.get(credential).send(createPush(createApnsToken()));

describe('a push with a certificate', () => {
  test('arrives without a provider token', async () => {
    const credential = toApnsCertificateCredential(sandbox.credentials.apnsCertificate);
    const push = createPush(createApnsToken());

    const attempt = await pool.get(credential).send(push);

    expect(attempt).toMatchObject({ status: 200, outcome: { kind: 'sent' } });
    expect(sandbox.received({ token: push.pushToken })).toMatchObject([
      { headers: { 'apns-topic': credential.bundle } },
    ]);
  });

  test('has its connection to itself, apart from other certificates and from keys', async () => {
    const one = sandbox.addApnsCertificate();
    const two = sandbox.addApnsCertificate();

    await send(toApnsCertificateCredential(one));
    await send(toApnsCertificateCredential(one));
    await send(toApnsCertificateCredential(two));
    await send(toApnsCredential(sandbox));

    expect(wire.connections).toBe(3);
  });

  test.each([
    ['of another host', { environment: 'development' }, 'BadCertificateEnvironment'],
    ['that APNs does not believe', { days: -1 }, 'BadCertificate'],
  ] as const)('%s pauses the credential', async (_, options, reason) => {
    const certificate = sandbox.addApnsCertificate(options);
    // Ours is behind theirs, or we would not even ask.
    now = new Date(Date.now() - 10 * DAY_MS);

    const { outcome } = await send(toApnsCertificateCredential(certificate));

    expect(outcome).toEqual({ kind: 'pause', reason, scope: 'credential' });
  });
});

describe('no connection is made', () => {
  const notAsked = () => expect(wire.connections).toBe(0);

  test('with a certificate whose time is over', async () => {
    const credential = toApnsCertificateCredential(sandbox.addApnsCertificate({ days: 2 }));
    await send(credential);
    const before = wire.connections;

    now = new Date(Date.now() + 3 * DAY_MS);
    const { outcome } = await send(credential);

    expect(outcome).toEqual({ kind: 'pause', reason: 'certificate_expired', scope: 'credential' });
    expect(wire.connections).toBe(before);
  });

  test('for an app that the certificate is not for', async () => {
    const credential = toApnsCertificateCredential(sandbox.addApnsCertificate(), {
      bundle: 'com.example.other',
    });

    const { outcome } = await send(credential);

    expect(outcome).toEqual({ kind: 'pause', reason: 'topic_not_in_certificate', scope: 'app' });
    notAsked();
  });

  test.each(['', 'nonsense'])('with %j for a certificate', async (text) => {
    const credential = toApnsCertificateCredential(sandbox.addApnsCertificate(), {
      certificateFile: { file: Buffer.from(text) },
    });

    const { outcome } = await send(credential);

    expect(outcome).toEqual({ kind: 'pause', reason: 'unusable_key', scope: 'credential' });
    notAsked();
  });
});
