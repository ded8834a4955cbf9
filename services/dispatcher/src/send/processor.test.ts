import { insertMessages, type CredentialScope, type RouteName } from '@heliograph/db';
import type { Credential, Push, PushProvider } from '@heliograph/providers';
import { Metrics } from '@heliograph/runtime';
import { makeApp, makeDevice, toMessage, useTestDatabase } from '@heliograph/testing';
import { pino } from 'pino';

import { createDispatcherMetrics } from '../metrics/dispatcher-metrics.ts';
import { createLeaseBook, LEASE_MS } from './lease-book.ts';
import { createProcessor } from './processor.ts';
import { createRecorder } from './recorder.ts';

const database = useTestDatabase();

const clockMs = () => performance.now();
const fail = (error: unknown) => {
  throw error;
};

const DIRECT: Credential = {
  provider: 'apns',
  route: 'direct',
  auth: 'token',
  id: 'any',
  version: Number.MAX_SAFE_INTEGER,
  environment: undefined,
  bundle: 'com.example',
  keyId: 'K',
  teamId: 'T',
  privateKey: Buffer.from(''),
};
const PROXY: Credential = {
  provider: 'apns',
  route: 'proxy',
  id: 'any',
  version: Number.MAX_SAFE_INTEGER,
  url: 'https://proxy.example/',
  schema: 'current',
  goneOn: [],
  retry: 'documented',
};

interface Sent {
  readonly environment: Push['environment'];
  readonly scope: CredentialScope;
  readonly route: RouteName;
}

/** Sends a message to a developer's device whose app had one credential when it was claimed, and has that one a moment later. */
async function sendAfter(before: RouteName, credential: Credential): Promise<Sent[]> {
  const { db } = database;
  const appRef = await makeApp(db, ['apns']);
  if (before === 'proxy')
    await db
      .updateTable('credentials')
      .set({ route: 'proxy', settings: '{"url":"https://before.example/"}' })
      .where('appRef', '=', appRef)
      .execute();
  const { userId } = await makeDevice(db, appRef, { environment: 'development' });
  const stored = await insertMessages(db, [toMessage(appRef, userId)]);

  const environments: Push['environment'][] = [];
  const sent: Sent[] = [];
  const provider: PushProvider = {
    deadlineMs: 1_000,
    maxInFlight: 8,
    send(push) {
      environments.push(push.environment);
      return Promise.resolve({ outcome: { kind: 'sent' }, status: 200, endpoint: 'host' });
    },
    feed: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const renew = () => Promise.resolve([]);
  const leases = createLeaseBook({ renew, clockMs, leaseMs: LEASE_MS, onError: fail });
  const recorder = createRecorder({
    db,
    leases,
    audience: { listensTo: () => false },
    onRecorded: () => undefined,
    onError: fail,
  });
  const processor = createProcessor({
    db,
    metrics: createDispatcherMetrics(new Metrics(), { db, onError: fail }),
    leases,
    recorder,
    clockMs,
    leaseMs: LEASE_MS,
    log: pino({ level: 'silent' }),
    now: () => new Date(),
    random: () => 0,
    stopping: new AbortController().signal,
    breaker: { note: () => undefined, close: () => Promise.resolve() },
    pacers: { of: () => undefined, close: () => Promise.resolve() },
    evidence: {
      add: ({ scope, route }) =>
        void sent.push({ environment: environments.at(-1) ?? 'production', scope, route }),
      addSent: () => undefined,
      close: () => Promise.resolve(),
    },
    pauses: {
      open: () => Promise.reject(new Error('nothing is at fault')),
      findOpenedHere: () => undefined,
      lift: () => Promise.resolve(),
    },
    credentials: { load: () => Promise.resolve({ kind: 'usable', credential }) },
    pool: { get: () => provider },
  });

  await processor.process(stored.map(({ id }) => id));
  await processor.drained();
  await recorder.close();
  leases.close();
  return sent;
}

describe('a message whose credential is replaced between its claim and its send', () => {
  test('goes to the proxy that took the place of a key, in the scope of that', async () => {
    expect(await sendAfter('direct', PROXY)).toMatchObject([
      { route: 'proxy', scope: { environment: '', credentialVersion: PROXY.version } },
    ]);
  });

  test('goes to the host of its device by the key that took the place of a proxy', async () => {
    expect(await sendAfter('proxy', DIRECT)).toMatchObject([
      {
        environment: 'development',
        route: 'direct',
        scope: { environment: 'development', credentialVersion: DIRECT.version },
      },
    ]);
  });

  test('is not sent where the new key is not for its device', async () => {
    expect(await sendAfter('direct', { ...DIRECT, environment: 'production' })).toEqual([]);
  });
});
