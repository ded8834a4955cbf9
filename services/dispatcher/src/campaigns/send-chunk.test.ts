import type { Outcome } from '@heliograph/core';
import { claimChunk, freezePage } from '@heliograph/db';
import { feedBySends, type PushProvider } from '@heliograph/providers';
import {
  makeApp,
  makeCampaign,
  makeDevice,
  makeRun,
  useTestDatabase,
  type MadeDevice,
} from '@heliograph/testing';
import { pino } from 'pino';

import { createCheckpointer } from './checkpointer.ts';
import { createChunkLeases } from './chunk-leases.ts';
import { createChunkSender } from './send-chunk.ts';

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
    feed: (feed) => feedBySends(feed, 100, (push) => provider.send(push)),
    close: () => Promise.resolve(),
  };
  return provider;
}

describe('sending a chunk', () => {
  test('waits for the answers that are owed, and records them, though one delivery could not be settled', async () => {
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
    const checkpointer = createCheckpointer({ db, leases, log, onError, random: () => 0 });
    const sendChunk = createChunkSender({
      db,
      leases,
      checkpointer,
      log,
      clockMs,
      leaseMs,
      now: () => new Date(),
      random: () => 0,
      stopping: new AbortController().signal,
      watch: {
        enter: () => undefined,
        leave: () => undefined,
        maySend: () => true,
        isMaterialised: () => true,
        close: () => undefined,
      },
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
              id: 'any',
              version: 1,
              projectId: 'any',
              serviceAccount: Buffer.from(''),
            },
          }),
      },
      pool: {
        get: () => toProvider(devices[0]?.pushToken ?? ''),
        close: () => Promise.resolve(),
        abandon: () => undefined,
      },
    });
    const chunk = await claimChunk(db, runId, leaseMs);
    if (chunk === undefined) throw new Error('there is nothing to claim');
    leases.hold(chunk, clockMs());

    await sendChunk(chunk, Number.POSITIVE_INFINITY).done;

    const kept = await db
      .selectFrom('campaignChunks')
      .select(['outcomes', 'leased'])
      .where('runId', '=', runId)
      .executeTakeFirstOrThrow();
    expect([...kept.outcomes]).toEqual([0, ...Array.from({ length: 9 }, () => 1)]);
    expect(kept.leased).toBe(false);
    await checkpointer.close();
    leases.close();
  });
});
