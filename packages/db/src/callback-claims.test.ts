import { randomUUID } from 'node:crypto';

import { CALLBACKS_START } from '@heliograph/core';
import { makeApp, makeCallback, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import {
  claimCallbacks,
  failCallback,
  moveCallback,
  releaseCallback,
  succeedCallback,
  type CallbackRoom,
  type ClaimedCallback,
} from './callback-claims.ts';
import {
  deleteUsedCallbackSecrets,
  findCallbackEndpoint,
  insertCallbackSecret,
  listCallbackEndpoints,
  resumeCallbackEndpoint,
} from './callback-endpoints.ts';
import { insertPing, listCallbackEvents } from './callback-events.ts';
import { openDatabase } from './database.ts';
import {
  disableDeveloperKey,
  enableDeveloperKey,
  insertDeveloperKey,
  rotateDeveloperSecret,
} from './developer-keys.ts';

const LEASE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
const PLENTY: CallbackRoom = { proven: 100, unproven: 100, failing: 100, all: 100 };
const CALL = { events: 1, after: CALLBACKS_START, end: CALLBACKS_START };
const OK = { result: '200', latencyMs: 5, leaseMs: LEASE_MS, call: CALL };
const FAILED = {
  result: '503',
  latencyMs: 5,
  call: CALL,
  delayMs: 0,
  isGone: false,
  giveUpAfterMs: DAY_MS,
} as const;

const database = useTestDatabase({ poolSize: 10 });

// Claims are the whole fleet's, so each test has the table for itself.
beforeEach(() => sql`TRUNCATE callback_endpoints CASCADE`.execute(database.db));

const claim = async (room: Partial<CallbackRoom> = {}, perTarget = 100, leaseMs = LEASE_MS) => {
  const claimed = await claimCallbacks(database.db, { ...PLENTY, ...room }, perTarget, leaseMs);
  if (claimed === undefined) throw new Error('somebody else claims');
  return claimed;
};

const idsOf = (claimed: readonly { readonly id: number }[]) =>
  claimed.map(({ id }) => id).toSorted((a, b) => a - b);

/** An endpoint with something to be told. */
async function makeDue(changes: Parameters<typeof makeCallback>[2] = {}) {
  const { db } = database;
  const appRef = changes.appRef ?? (await makeApp(db));
  const id = await makeCallback(db, appRef, changes);
  await insertPing(db, { appRef, developerKeyRef: 0 }, id);
  return { id, appRef };
}

const set = (id: number, changes: object) =>
  database.db.updateTable('callbackEndpoints').set(changes).where('id', '=', id).execute();

async function claimOne(): Promise<ClaimedCallback> {
  const [one] = await claim();
  if (one === undefined) throw new Error('nothing is due');
  return one;
}

describe('claiming', () => {
  test('brings all that is needed to tell what there is', async () => {
    const { id, appRef } = await makeDue({ callbackKey: 'key', types: ['run'] });
    const app = await database.db
      .selectFrom('apps')
      .select('appId')
      .where('id', '=', appRef)
      .executeTakeFirstOrThrow();

    const claimed = await claim();

    expect(claimed).toEqual([
      {
        id,
        appRef,
        developerKeyRef: 0,
        hasResends: false,
        appId: app.appId,
        url: 'https://receiver.test/outcomes',
        types: ['run'],
        standing: 'unproven',
        failures: 0,
        triedFrom: expect.any(Date),
        positionXid: expect.stringMatching(/^\d+$/),
        positionId: CALLBACKS_START.id,
        leaseEpoch: 1,
        key: 'key',
        secret: { id: expect.any(String), sealed: Buffer.from('sealed').toString('base64') },
        claimedAt: expect.any(Date),
      },
    ]);
  });

  test('leaves out what has nothing to be told, is not due, is leased, or suspended', async () => {
    const { db } = database;
    await makeCallback(db, await makeApp(db));
    const later = await makeDue();
    await set(later.id, { nextAttemptAt: new Date(Date.now() + 60_000) });
    const suspended = await makeDue();
    await set(suspended.id, { suspendedAt: new Date(), suspendedBecause: 'gone' });
    const free = await makeDue();

    expect(idsOf(await claim())).toEqual([free.id]);
    expect(await claim()).toEqual([]);
  });

  test('takes over a lease that ran out, with the next epoch', async () => {
    await makeDue();
    await claim({}, 100, 0);

    const [second] = await claim();

    expect(second?.leaseEpoch).toBe(2);
  });

  test('is done by one at a time, who then sees what the others hold', async () => {
    const target = 'receiver.test:443';
    for (let n = 0; n < 5; n += 1) await makeDue({ target });
    const other = openDatabase(database.url, 5);

    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        claimCallbacks(n % 2 === 0 ? database.db : other, PLENTY, 2, LEASE_MS),
      ),
    );

    expect(claims.flatMap((claimed) => claimed ?? [])).toHaveLength(2);
    expect(await claim({}, 2)).toEqual([]);
    expect(await claim({}, 3)).toHaveLength(1);
    await other.destroy();
  });

  test('lets no host that is full keep the others waiting', async () => {
    for (let n = 0; n < 5; n += 1) await makeDue({ target: 'crowded.test:443' });
    const other = await makeDue();

    const claimed = await claim({ unproven: 2 }, 1);

    expect(idsOf(claimed)).toContain(other.id);
    expect(claimed).toHaveLength(2);
  });

  test('takes of each standing what there is room for, those first that wait longest', async () => {
    const at = (seconds: number) => new Date(Date.now() - seconds * 1000);
    const proven = { lastSuccessAt: new Date(), lastLatencyMs: 10 };
    const makeWith = async (changes: object) => {
      const { id } = await makeDue();
      await set(id, changes);
      return id;
    };
    const failing = await Promise.all(
      [50, 40, 30].map((seconds) => makeWith({ failures: 1, nextAttemptAt: at(seconds) })),
    );
    const slow = await makeWith({ ...proven, lastLatencyMs: 10_000, nextAttemptAt: at(25) });
    const young = await makeWith({ nextAttemptAt: at(20) });
    const good = [
      await makeWith({ ...proven, nextAttemptAt: at(10) }),
      await makeWith({ ...proven, nextAttemptAt: at(5) }),
    ];

    const claimed = await claim({ failing: 1, unproven: 1, proven: 9, all: 3 });
    const rest = await claim({ failing: 0, unproven: 9, proven: 9, all: 9 });

    expect(idsOf(claimed)).toEqual(
      idsOf([failing[0], slow, good[0]].map((id) => ({ id: id ?? 0 }))),
    );
    expect(idsOf(rest)).toEqual(idsOf([young, good[1]].map((id) => ({ id: id ?? 0 }))));
  });

  test('of a developer key brings its name and current secret, unless it is disabled', async () => {
    const { db } = database;
    const appRef = await makeApp(db);
    const developerKey = randomUUID();
    const secret = { id: randomUUID(), sealedSecret: Buffer.from('first') };
    await insertDeveloperKey(db, { developerKey, appRef, name: 'a', carriers: ['acme'] }, secret);
    const { id: developerKeyRef } = await db
      .selectFrom('developerKeys')
      .select('id')
      .where('developerKey', '=', developerKey)
      .executeTakeFirstOrThrow();
    await makeCallback(db, appRef, { developerKeyRef, callbackKey: null });
    await insertPing(db, { appRef, developerKeyRef }, 1);
    const newer = { id: randomUUID(), sealedSecret: Buffer.from('second') };
    await rotateDeveloperSecret(db, developerKey, newer, 3_600);

    const held = await claimOne();
    await releaseCallback(db, held);
    await disableDeveloperKey(db, developerKey);

    expect(held).toMatchObject({
      developerKeyRef,
      key: developerKey,
      secret: { id: newer.id, sealed: Buffer.from('second').toString('base64') },
    });
    expect(await claim()).toEqual([]);
    await enableDeveloperKey(db, developerKey);
    expect(await claim()).toHaveLength(1);
  });

  test('brings the secret that came into use last', async () => {
    const { db } = database;
    const { id } = await makeDue();
    const open = async () => {
      const { secret, ...held } = await claimOne();
      await releaseCallback(db, held);
      return Buffer.from(secret?.sealed ?? '', 'base64').toString();
    };

    await insertCallbackSecret(db, id, 0, () => Buffer.from('second'));
    await insertCallbackSecret(db, id, 86_400, () => Buffer.from('third'));
    const before = await open();
    await sql`UPDATE callback_secrets SET used_from = used_from - interval '2 days' WHERE endpoint_ref = ${id}`.execute(
      db,
    );
    const after = await open();
    await deleteUsedCallbackSecrets(db, id);

    expect([before, after]).toEqual(['second', 'third']);
    expect(await open()).toBe('third');
    const left = await db.selectFrom('callbackSecrets').where('endpointRef', '=', id).execute();
    expect(left).toHaveLength(1);
  });
});

describe('the position', () => {
  const to = { xid: '7', id: randomUUID() };

  test('moves for whoever holds the epoch, and for nobody else', async () => {
    const { db } = database;
    const { id } = await makeDue();
    const old = await claimOne();
    await set(id, { leaseUntil: new Date(0) });
    const held = await claimOne();

    const late = [
      await moveCallback(db, old, to, { leaseMs: LEASE_MS }),
      await succeedCallback(db, old, to, OK),
    ];
    await failCallback(db, old, FAILED);
    await releaseCallback(db, old);

    expect(late).toEqual([false, false]);
    expect(await findCallbackEndpoint(db, id)).toMatchObject({
      positionId: held.positionId,
      failures: 0,
      lastResult: null,
    });
    expect(await succeedCallback(db, held, to, OK)).toBe(true);
    expect(await findCallbackEndpoint(db, id)).toMatchObject({
      positionXid: '7',
      positionId: to.id,
      lastResult: '200',
      lastSuccessAt: expect.any(Date),
    });
  });

  test('counts what was given up', async () => {
    const { db } = database;
    const { id } = await makeDue();
    const held = await claimOne();

    await moveCallback(db, held, to, { leaseMs: LEASE_MS, passedOver: 3 });
    await moveCallback(db, held, to, { leaseMs: LEASE_MS, passedOver: 4 });

    expect(await findCallbackEndpoint(db, id)).toMatchObject({ passedOver: 7 });
  });

  test('goes back when it is resumed from a cursor, and whoever held it may not move it', async () => {
    const { db } = database;
    const { id } = await makeDue();
    const held = await claimOne();

    expect(await resumeCallbackEndpoint(db, id, CALLBACKS_START)).toBe(true);

    expect(await succeedCallback(db, held, to, OK)).toBe(false);
    expect(await findCallbackEndpoint(db, id)).toMatchObject({ positionXid: '0' });
    // The request that is under way has its lease: no second one beside it.
    expect(await claim()).toEqual([]);
    expect(await resumeCallbackEndpoint(db, 999_999, undefined)).toBe(false);
  });

  test('begins anew in a database that was restored from a dump', async () => {
    const { db } = database;
    const { id, appRef } = await makeDue();
    const owner = { appRef, developerKeyRef: 0 };
    const ahead = '1000000000';
    await set(id, { positionXid: ahead, positionId: randomUUID() });
    // One that was behind with what is ahead of the counter now.
    const behind = await makeDue({ appRef });
    await sql`UPDATE callback_events SET xid = ${ahead}::xid8 WHERE app_ref = ${appRef}`.execute(
      db,
    );
    await insertPing(db, owner, 3);

    const claimed = await claim();

    expect(idsOf(claimed)).toEqual([id, behind.id]);
    for (const { positionXid, positionId } of claimed) {
      const position = { xid: positionXid, id: positionId };
      const events = await listCallbackEvents(db, owner, position, 10);
      expect(events.map(({ data }) => data['callbackId'])).toEqual([id, behind.id, 3]);
    }
  });
});

describe('failing', () => {
  test('puts the next attempt off, and counts', async () => {
    const { db } = database;
    const { id } = await makeDue();

    const suspended = await failCallback(db, await claimOne(), { ...FAILED, delayMs: 60_000 });

    expect(suspended).toBe(false);
    expect(await claim()).toEqual([]);
    await set(id, { nextAttemptAt: new Date() });
    expect(await claimOne()).toMatchObject({ failures: 1, standing: 'failing' });
  });

  test('is forgotten by a success', async () => {
    const { db } = database;
    const { id } = await makeDue();
    await failCallback(db, await claimOne(), FAILED);
    const held = await claimOne();

    await succeedCallback(db, held, CALLBACKS_START, OK);

    expect(await findCallbackEndpoint(db, id)).toMatchObject({ failures: 0, failingSince: null });
  });

  test.each([
    ['gone', { isGone: true }, new Date()],
    ['failing', {}, new Date(Date.now() - 2 * DAY_MS)],
  ])('suspends what is %s, until it is resumed', async (because, changes, failingSince) => {
    const { db } = database;
    const { id, appRef } = await makeDue();
    await set(id, { failingSince });

    const suspended = await failCallback(db, await claimOne(), { ...FAILED, ...changes });

    expect(suspended).toBe(true);
    expect(await claim()).toEqual([]);
    expect(await listCallbackEndpoints(db, appRef)).toMatchObject([
      { suspendedAt: expect.any(Date), suspendedBecause: because },
    ]);
    await resumeCallbackEndpoint(db, id, undefined);
    expect(await claimOne()).toMatchObject({ id, failures: 0 });
  });
});
