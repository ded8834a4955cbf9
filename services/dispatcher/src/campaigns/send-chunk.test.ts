import type { Outcome } from '@heliograph/core';
import { claimChunk, freezePage, type CredentialScope } from '@heliograph/db';
import { feedBySends, type PushProvider } from '@heliograph/providers';
import { Metrics } from '@heliograph/runtime';
import {
  makeApp,
  makeCampaign,
  makeDevice,
  makeRun,
  useTestDatabase,
  type MadeDevice,
} from '@heliograph/testing';
import { pino } from 'pino';

import { createDispatcherMetrics } from '../metrics/dispatcher-metrics.ts';
import { createCheckpointer } from './checkpointer.ts';
import { createChunkLeases } from './chunk-leases.ts';
import type { RunWatch } from './run-watch.ts';
import { createChunkSender, type ChunkSenderDeps } from './send-chunk.ts';

const database = useTestDatabase();
const log = pino({ level: 'silent' });

/** Answers by push token: at once with a fault of the credential, else after a while that it is sent. */
function toProvider(bad: string): PushProvider {
  const provider: PushProvider = {
    deadlineMs: 1_000,
    maxInFlight: 100,
    async send({ pushToken }) {
      const paused: Outcome = {
        kind: 'pause',
        reason: 'InvalidProviderToken',
        scope: 'credential',
      };
      if (pushToken === bad) return { outcome: paused, status: 403, endpoint: 'host' };
      await new Promise((resolve) => setTimeout(resolve, 200));
      return { outcome: { kind: 'sent' }, status: 200, endpoint: 'host' };
    },
    feed: (feed) =>
      feedBySends(feed, {
        limit: 100,
        send: (push) => provider.send(push),
        findStop: () => undefined,
      }),
    close: () => Promise.resolve(),
  };
  return provider;
}

function toPool(provider: PushProvider): ChunkSenderDeps['pool'] {
  return { get: () => provider };
}

/** A chunk of ten devices that was claimed, and what sends it. */
async function claimTen(changes: (devices: readonly MadeDevice[]) => Partial<ChunkSenderDeps>) {
  const { db } = database;
  const appRef = await makeApp(db);
  const devices: MadeDevice[] = [];
  for (let n = 0; n < 10; n += 1) devices.push(await makeDevice(db, appRef));
  const users = devices.map((device) => device.userId);
  const runId = await makeRun(db, await makeCampaign(db, appRef, users));
  await freezePage(db, runId);
  const clockMs = () => performance.now();
  const leaseMs = 60_000;
  const onError = () => undefined;
  const leases = createChunkLeases({ db, clockMs, onError, leaseMs });
  const checkpointer = createCheckpointer({
    db,
    leases,
    log,
    onRecorded: () => undefined,
    onError,
    random: () => 0,
  });
  const sendChunk = createChunkSender({
    db,
    metrics: createDispatcherMetrics(new Metrics(), { db, onError }),
    leases,
    checkpointer,
    log,
    clockMs,
    leaseMs,
    now: () => new Date(),
    random: () => 0,
    stopping: new AbortController().signal,
    watch,
    breaker: { note: () => undefined, close: () => Promise.resolve() },
    pacers: { of: () => undefined, close: () => Promise.resolve() },
    evidence: { add: () => undefined, addSent: () => undefined, close: () => Promise.resolve() },
    // The database is away in that moment.
    pauses: {
      open: () => Promise.reject(new Error('connection lost')),
      findOpenedHere: () => undefined,
      lift: () => Promise.resolve(),
    },
    credentials: {
      load: () =>
        Promise.resolve({
          kind: 'usable',
          credential: {
            provider: 'fcm',
            route: 'direct',
            id: 'any',
            version: 1,
            projectId: 'any',
            serviceAccount: Buffer.from(''),
          },
        }),
    },
    pool: toPool(toProvider('')),
    ...changes(devices),
  });
  const chunk = await claimChunk(db, runId, leaseMs);
  if (chunk === undefined) throw new Error('there is nothing to claim');
  leases.hold(chunk, clockMs());

  return {
    send: () => sendChunk(chunk, Number.POSITIVE_INFINITY).done,
    async readChunk() {
      const { outcomes, leased } = await db
        .selectFrom('campaignChunks')
        .select(['outcomes', 'leased'])
        .where('runId', '=', runId)
        .executeTakeFirstOrThrow();
      return { outcomes: [...outcomes], leased };
    },
    async close() {
      await checkpointer.close();
      leases.close();
    },
  };
}

const watch: RunWatch = {
  enter: () => undefined,
  leave: () => undefined,
  maySend: () => true,
  isStale: () => false,
  isMaterialised: () => true,
  close: () => undefined,
};

describe('sending a chunk', () => {
  test('waits for the answers that are owed, and records them, though one delivery could not be settled', async () => {
    const claimed = await claimTen((devices) => ({
      pool: toPool(toProvider(devices[0]?.pushToken ?? '')),
    }));

    await claimed.send();

    const outcomes = [0, ...Array.from({ length: 9 }, () => 1)];
    expect(await claimed.readChunk()).toEqual({ outcomes, leased: false });
    await claimed.close();
  });

  test('keeps the chunk while nobody knows how the run stands, and sends it when that is known', async () => {
    let looks = 0;
    const isKnown = () => looks > 20;
    const isStale = () => {
      looks += 1;
      return !isKnown();
    };
    const claimed = await claimTen(() => ({ watch: { ...watch, maySend: isKnown, isStale } }));

    const sent = await claimed.send();

    expect(sent).toBe(10);
    expect(await claimed.readChunk()).toEqual({
      outcomes: Array.from({ length: 10 }, () => 1),
      leased: false,
    });
    await claimed.close();
  });

  test('goes by the proxy that took the place of the credential since it was claimed, in the scope of that', async () => {
    const scopes: CredentialScope[] = [];
    const taken: number[] = [];
    const claimed = await claimTen(() => ({
      credentials: {
        load: () =>
          Promise.resolve({
            kind: 'usable',
            credential: {
              provider: 'apns',
              route: 'proxy',
              id: 'any',
              version: Number.MAX_SAFE_INTEGER,
              url: 'https://proxy.example/',
              schema: 'current',
              goneOn: [],
              retry: 'documented',
            },
          }),
      },
      evidence: {
        add: () => undefined,
        addSent(scope, _count, byProxy) {
          scopes.push(scope);
          taken.push(...(byProxy?.deviceIds ?? []));
        },
        close: () => Promise.resolve(),
      },
    }));

    expect(await claimed.send()).toBe(10);

    expect(scopes[0]).toMatchObject({
      environment: '',
      credentialVersion: Number.MAX_SAFE_INTEGER,
    });
    expect(new Set(taken).size).toBe(10);
    await claimed.close();
  });
});
