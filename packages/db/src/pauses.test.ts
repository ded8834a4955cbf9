import {
  makeApp,
  makeCampaign,
  makeDevice,
  makeRun,
  oweMessage,
  useTestDatabase,
} from '@heliograph/testing';
import { sql } from 'kysely';

import { claimChunk } from './campaigns/chunk-leases.ts';
import { freezePage } from './campaigns/freeze-audience.ts';
import { recordCheckpoints } from './campaigns/record-checkpoints.ts';
import { claimDue, recordUpdates } from './deliveries.ts';
import {
  endProbe,
  liftAnsweredPause,
  liftPause,
  openPause,
  PROVIDER_TROUBLE,
  startProbes,
  wakeLifted,
} from './pauses.ts';
import type { CredentialScope, PausesTable } from './schema.ts';

const database = useTestDatabase();

const IN_AN_HOUR = new Date(Date.now() + 3_600_000);

async function toScope(appRef: number): Promise<CredentialScope> {
  const { version } = await database.db
    .selectFrom('credentials')
    .select('version')
    .where('appRef', '=', appRef)
    .where('provider', '=', 'apns')
    .executeTakeFirstOrThrow();
  return { appRef, provider: 'apns', environment: 'production', credentialVersion: version };
}

/** Stops the scope as a breaker does. */
async function openBreaker(appRef: number, kind: PausesTable['scope'] = 'endpoint') {
  const probing = { firstMs: 30_000, limitMs: 600_000 };
  const scope = await toScope(appRef);
  const id = await openPause(database.db, scope, kind, PROVIDER_TROUBLE, probing);
  if (id === undefined) throw new Error('not paused');
  return id;
}

function readPause(id: number) {
  return database.db
    .selectFrom('pauses')
    .select(['reason', 'liftedAt', 'probeDeliveryId'])
    .select(sql<number>`extract(epoch FROM probe_at - now())::float8`.as('probedIn'))
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
}

/** Makes it so much later for the pause, and lets through what is due to be tried. */
async function probe(id: number, seconds: number): Promise<string[]> {
  await sql`UPDATE pauses SET probe_at = probe_at - ${seconds}::float8 * interval '1 s' WHERE id = ${id}`.execute(
    database.db,
  );
  return startProbes(database.db);
}

/** A message of so many deliveries that a pause holds. */
async function holdMessage(devices: number) {
  const { db } = database;
  const { appRef, ids } = await oweMessage(db, devices);
  const pauseId = await openBreaker(appRef);
  await claimDue(db, ids, 60_000);
  await hold(ids, pauseId);
  return { appRef, ids, pauseId };
}

async function hold(ids: readonly string[], pauseId: number, leaseEpoch = 1): Promise<void> {
  await recordUpdates(
    database.db,
    ids.map((id) => ({
      id,
      leaseEpoch,
      state: 'pending',
      reason: PROVIDER_TROUBLE,
      nextAttemptAt: IN_AN_HOUR,
      pauseId,
      attemptBurned: false,
      ambiguous: false,
      providerMessageId: null,
      attempt: null,
    })),
  );
}

/** A campaign's run of one chunk that a pause holds. */
async function holdRun() {
  const { db } = database;
  const appRef = await makeApp(db);
  const { userId } = await makeDevice(db, appRef);
  const runId = await makeRun(db, await makeCampaign(db, appRef, [userId]));
  while (await freezePage(db, runId));
  const pauseId = await openBreaker(appRef);
  const chunk = await claimChunk(db, runId, 60_000);
  if (chunk === undefined) throw new Error('there is nothing to claim');
  const release = { kind: 'later', dueAt: IN_AN_HOUR, pauseId } as const;
  await recordCheckpoints(db, [{ ...chunk, changes: new Map(), exceptions: [], release }], 1);
  return { runId, pauseId };
}

describe('the pause of a breaker', () => {
  test('lets one delivery of a message through after 30 s, then after twice as long, up to 10 minutes', async () => {
    const { ids, pauseId } = await holdMessage(3);
    const waits: number[] = [];

    expect(await probe(pauseId, 29)).toEqual([]);
    for (let n = 0; n < 7; n += 1) {
      const [probed = '', ...more] = await probe(pauseId, 600);
      expect(more).toEqual([]);
      expect(ids).toContain(probed);
      const [claimed] = await claimDue(database.db, ids, 60_000);
      expect(claimed).toMatchObject({
        id: probed,
        pauses: [{ id: pauseId, scope: 'endpoint', probeDeliveryId: probed }],
      });
      await hold([probed], pauseId, claimed?.leaseEpoch);
      waits.push(Math.round((await readPause(pauseId)).probedIn));
    }

    expect(waits).toEqual([60, 120, 240, 480, 600, 600, 600]);
  });

  test('lets a chunk of a campaign through, and holds it again', async () => {
    const { runId, pauseId } = await holdRun();
    expect(await claimChunk(database.db, runId, 60_000)).toBeUndefined();

    await probe(pauseId, 31);

    const { probeDeliveryId } = await readPause(pauseId);
    expect(await claimChunk(database.db, runId, 60_000)).toMatchObject({
      pauses: [{ id: pauseId, scope: 'endpoint', probeDeliveryId }],
    });
    expect(probeDeliveryId).not.toBeNull();
  });

  test('holds what was its probe once that has ended', async () => {
    const { ids, pauseId } = await holdMessage(1);
    await probe(pauseId, 31);

    await endProbe(database.db, pauseId);

    expect(await claimDue(database.db, ids, 60_000)).toMatchObject([
      { pauses: [{ id: pauseId, probeDeliveryId: null }] },
    ]);
  });

  test('is lifted by an operator or by an answer, for both lanes', async () => {
    const [message, campaign] = [await holdMessage(2), await holdRun()];

    expect(await liftPause(database.db, message.pauseId)).toBe(true);
    expect(await liftAnsweredPause(database.db, campaign.pauseId)).toBe(true);
    expect(await liftAnsweredPause(database.db, campaign.pauseId)).toBe(false);
    await wakeLifted(database.db, 1_000);

    expect(await claimDue(database.db, message.ids, 60_000)).toMatchObject([
      { pauses: null },
      { pauses: null },
    ]);
    expect(await claimChunk(database.db, campaign.runId, 60_000)).toMatchObject({ pauses: null });
  });

  test('keeps the name of a fault that stopped the endpoint before', async () => {
    const appRef = await makeApp(database.db);
    const scope = await toScope(appRef);
    const named = await openPause(database.db, scope, 'endpoint', 'CERT_HAS_EXPIRED');

    expect(await openBreaker(appRef)).toBe(named);

    expect(await readPause(named ?? 0)).toMatchObject({ reason: 'CERT_HAS_EXPIRED' });
  });
});

describe('any other pause', () => {
  test('is looked at after 5 minutes, and not lifted by an answer that says nothing about it', async () => {
    const appRef = await makeApp(database.db);
    const id = await openPause(database.db, await toScope(appRef), 'credential', 'BadTopic');

    const { probedIn } = await readPause(id ?? 0);

    expect(probedIn).toBeGreaterThan(290);
    expect(probedIn).toBeLessThanOrEqual(300);
    expect(await liftAnsweredPause(database.db, id ?? 0)).toBe(false);
  });
});
