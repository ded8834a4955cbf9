import { liftPause, type CredentialScope } from '@heliograph/db';
import { createLogger } from '@heliograph/runtime';
import { makeDevice, makeScope, useTestDatabase, type MadeDevice } from '@heliograph/testing';

import { applyRipeTokenFaults } from './apply-faults.ts';
import { createEvidence, type Answer } from './evidence.ts';
import { createPauses } from './pauses.ts';

const database = useTestDatabase();

const CLAIMED_AT = new Date('2026-11-23T06:00:00Z');

async function open() {
  const { db } = database;
  const log = createLogger('dispatcher', 'silent');
  const pauses = createPauses({ db, log, clockMs: () => performance.now() });
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const scope = await makeScope(db);
  return { evidence: createEvidence({ db, pauses, log, onError }), scope, errors, pauses, log };
}

function gone(scope: CredentialScope, n: number, invalidSince?: Date): Answer {
  const outcome = { kind: 'gone', reason: 'Unregistered', fault: 'dead' } as const;
  return {
    scope,
    route: 'direct',
    outcome: invalidSince === undefined ? outcome : { ...outcome, invalidSince },
    status: 410,
    deviceId: scope.appRef * 1000 + n,
    pushToken: `${n}`,
    claimedAt: CLAIMED_AT,
  };
}

async function faultsOf({ appRef }: CredentialScope) {
  return database.db
    .selectFrom('tokenFaults')
    .select(['state', 'invalidSince'])
    .where('appRef', '=', appRef)
    .execute();
}

describe('the count of answers', () => {
  test('tells those apart that only said that the provider was in trouble', async () => {
    const { evidence, scope, errors } = await open();
    const unavailable = {
      kind: 'retry',
      reason: 'ServiceUnavailable',
      backoff: 'apns_trouble',
      bound: 'expiry',
    } as const;

    evidence.add({ ...gone(scope, 1), outcome: unavailable, status: 503 });
    evidence.add({ ...gone(scope, 2), outcome: unavailable, status: 503 });
    evidence.add({ ...gone(scope, 3), outcome: { kind: 'sent' }, status: 200 });
    await evidence.close();

    const counts = await database.db
      .selectFrom('answerCounts')
      .select(['answers', 'trouble'])
      .where('appRef', '=', scope.appRef)
      .execute();
    expect(counts).toEqual([{ answers: 3, trouble: 2 }]);
    expect(errors).toEqual([]);
  });
});

describe('evidence of dead tokens', () => {
  test('that comes all at once is held at once, and not forgotten when a good minute follows', async () => {
    const { evidence, scope, errors } = await open();
    for (let n = 0; n < 20; n += 1) evidence.add(gone(scope, n));
    await evidence.close();
    for (let n = 0; n < 500; n += 1)
      evidence.add({ ...gone(scope, n), outcome: { kind: 'sent' }, status: 200 });
    await evidence.close();

    const faults = await faultsOf(scope);
    expect(faults.map(({ state }) => state)).toEqual(Array(20).fill('held'));
    expect(errors).toEqual([]);
  });

  test.each([
    ['in a year', new Date(CLAIMED_AT.getTime() + 366 * 24 * 3_600_000), CLAIMED_AT],
    ['at the end of time', new Date(8.64e15), CLAIMED_AT],
    ['an hour ago', new Date('2026-11-23T05:00:00Z'), new Date('2026-11-23T05:00:00Z')],
  ])('that is dated %s never concerns a registration after we asked', async (_, said, kept) => {
    const { evidence, scope, errors } = await open();
    evidence.add(gone(scope, 1, said));
    await evidence.close();

    expect(await faultsOf(scope)).toEqual([{ state: 'noted', invalidSince: kept }]);
    expect(errors).toEqual([]);
  });
});

describe('devices that a proxy refuses', () => {
  const REFUSED = { kind: 'fail', reason: 'http_403', refusedBy: 'device' } as const;

  async function openProxied(deviceCount: number) {
    const opened = await open();
    const scope: CredentialScope = { ...opened.scope, environment: '' };
    const devices = await Promise.all(
      Array.from({ length: deviceCount }, () => makeDevice(database.db, scope.appRef)),
    );
    const add = (device: MadeDevice, isRefused: boolean) =>
      opened.evidence.add({
        scope,
        route: 'proxy',
        outcome: isRefused ? REFUSED : { kind: 'sent' },
        status: isRefused ? 403 : 200,
        deviceId: device.id,
        pushToken: device.pushToken,
        claimedAt: new Date(),
      });
    return {
      ...opened,
      scope,
      devices,
      refuse: (device: MadeDevice) => add(device, true),
      take: (device: MadeDevice) => add(device, false),
    };
  }

  async function applyRipe({ log, pauses, scope }: Awaited<ReturnType<typeof openProxied>>) {
    await database.db
      .updateTable('tokenFaults')
      .set({ notedAt: new Date(Date.now() - 61_000) })
      .where('appRef', '=', scope.appRef)
      .execute();
    await applyRipeTokenFaults({ db: database.db, pauses, log });
  }

  function deactivatedOf({ appRef }: CredentialScope) {
    return database.db
      .selectFrom('devices')
      .select(['id', 'tokenDeactivatedReason as reason'])
      .where('appRef', '=', appRef)
      .where('tokenDeactivatedAt', 'is not', null)
      .execute();
  }

  async function pausesOf({ appRef }: CredentialScope) {
    return database.db
      .selectFrom('pauses')
      .select(['id', 'scope', 'reason'])
      .where('appRef', '=', appRef)
      .where('liftedAt', 'is', null)
      .execute();
  }

  test('three times in a row are blocked, a minute later', async () => {
    const proxied = await openProxied(2);
    const [blocked, other] = proxied.devices;
    if (blocked === undefined || other === undefined) throw new Error('there are two');

    for (let n = 0; n < 3; n += 1) {
      proxied.refuse(blocked);
      proxied.take(other);
    }
    await proxied.evidence.close();
    const before = await deactivatedOf(proxied.scope);
    await applyRipe(proxied);

    expect(before).toEqual([]);
    expect(await deactivatedOf(proxied.scope)).toEqual([{ id: blocked.id, reason: 'blocked' }]);
    expect(await pausesOf(proxied.scope)).toEqual([]);
    expect(proxied.errors).toEqual([]);
  });

  test('are not blocked where a push in between was taken, be it a campaign’s', async () => {
    const { evidence, scope, devices, refuse, take } = await openProxied(2);
    const [one, two] = devices;
    if (one === undefined || two === undefined) throw new Error('there are two');

    for (const device of [one, one, two, two]) refuse(device);
    await evidence.close();
    take(one);
    evidence.addSent(scope, 1, { deviceIds: [two.id], claimedAt: new Date() });
    for (const device of [one, one, two, two]) refuse(device);
    await evidence.close();

    expect(await faultsOf(scope)).toEqual([]);
  });

  test('all of them, three times each, leave the registry as it is: an alarm and a pause, every time', async () => {
    const proxied = await openProxied(1_000);
    const { evidence, scope, devices, refuse } = proxied;
    const paused: unknown[] = [];

    for (let round = 0; round < 3; round += 1) {
      for (const device of devices) refuse(device);
      await evidence.close();
      const pauses = await pausesOf(scope);
      paused.push(pauses.map(({ scope: kind }) => kind).toSorted());
      // An operator who thinks that it was a mistake.
      for (const { id } of pauses) await liftPause(database.db, id);
    }
    await applyRipe(proxied);

    // From the first round on: who refuses everybody refuses us.
    expect(paused).toEqual([['app'], ['app'], ['app', 'guard']]);
    const faults = await faultsOf(scope);
    expect(faults.map(({ state }) => state)).toEqual(Array(1_000).fill('held'));
    expect(await deactivatedOf(scope)).toEqual([]);
    expect(proxied.errors).toEqual([]);
  }, 30_000);

  test('all of a few, three times each, leave the registry as it is, too', async () => {
    const proxied = await openProxied(40);
    const { evidence, scope, devices, refuse } = proxied;

    for (let round = 0; round < 3; round += 1) for (const device of devices) refuse(device);
    await evidence.close();
    await applyRipe(proxied);

    expect(await deactivatedOf(scope)).toEqual([]);
    expect((await faultsOf(scope)).map(({ state }) => state)).toEqual(Array(40).fill('held'));
    expect((await pausesOf(scope)).map(({ scope: kind }) => kind)).toEqual(['guard']);
    expect(proxied.errors).toEqual([]);
  });

  test('some of many, three times each, are blocked without a word: that is what proxies are for', async () => {
    const proxied = await openProxied(500);
    const { evidence, scope, devices, refuse, take } = proxied;

    for (let round = 0; round < 3; round += 1)
      for (const [n, device] of devices.entries())
        if (n % 20 === 0) refuse(device);
        else take(device);
    await evidence.close();
    await applyRipe(proxied);

    expect(await deactivatedOf(scope)).toHaveLength(25);
    expect(await pausesOf(scope)).toEqual([]);
  }, 30_000);
});
