import { DEFERRED, OWED, SENT } from '@heliograph/core';
import {
  makeApp,
  makeCampaign,
  makeDevice,
  makeRun,
  useTestDatabase,
  type DeviceOptions,
  type MadeDevice,
} from '@heliograph/testing';

import { hashPushToken } from '../devices.ts';
import type { AttemptRecord } from '../schema.ts';
import { claimChunk, type ClaimedChunk } from './chunk-leases.ts';
import { freezePage } from './freeze-audience.ts';
import { readOwedChunk, type OwedChunk, type OwedDevice } from './owed-chunk.ts';
import { recordCheckpoints, type ChunkException } from './record-checkpoints.ts';

const LEASE_MS = 60_000;
const NOTHING: OwedChunk = { plain: [], special: [], waiting: new Map() };

const database = useTestDatabase({ poolSize: 2 });

/** A run to such devices, frozen in chunks of so many each; leased are the first ones, up to the last that has a size. */
async function lease(all: readonly DeviceOptions[], chunkSizes: readonly number[] = [all.length]) {
  const { db } = database;
  const appRef = await makeApp(db);
  const devices: MadeDevice[] = [];
  for (const options of all) devices.push(await makeDevice(db, appRef, options));
  const users = devices.map((device) => device.userId);
  const runId = await makeRun(db, await makeCampaign(db, appRef, users));
  for (const size of chunkSizes) await freezePage(db, runId, size);
  while (await freezePage(db, runId));
  const chunks = [];
  for (let n = 0; n < chunkSizes.length; n += 1) chunks.push(await claim(runId));
  const [chunk] = chunks.slice(-1);
  if (chunk === undefined) throw new Error('there is no chunk');
  const edit = (index: number) =>
    db.updateTable('devices').where('id', '=', devices[index]?.id ?? 0);
  return { devices, chunk, edit };
}

async function claim(runId: string): Promise<ClaimedChunk> {
  const chunk = await claimChunk(database.db, runId, LEASE_MS);
  if (chunk === undefined) throw new Error('there is nothing to claim');
  return chunk;
}

const some = (count: number): DeviceOptions[] => Array.from({ length: count }, () => ({}));

async function record(
  chunk: ClaimedChunk,
  codes: readonly number[],
  exceptions: readonly ChunkException[] = [],
): Promise<void> {
  const outcomes = Buffer.from(codes);
  const point = { ...chunk, outcomes, changes: new Map(), exceptions };
  await recordCheckpoints(database.db, [{ ...point, release: { kind: 'keep' } }], 0);
}

const ATTEMPT: AttemptRecord = {
  at: '2026-11-23T06:00:00.000Z',
  outcome: 'retry',
  endpoint: 'host',
  environment: '',
  credentialVersion: 1,
  latencyMs: 1,
};

function toDeferred(index: number, nextAttemptAt: Date): ChunkException {
  return {
    index,
    deviceId: 1,
    userId: 'user',
    state: 'pending',
    reason: 'timeout',
    attempts: 2,
    ambiguousAttempts: 1,
    nextAttemptAt,
    providerMessageId: null,
    history: [ATTEMPT],
  };
}

/** Every device that is to be sent now, in the order of their places. */
function toDevices({ plain, special }: OwedChunk): readonly OwedDevice[] {
  const ofGroups = plain.flatMap(({ indexes, toDevice }) => indexes.map((_, n) => toDevice(n)));
  return [...ofGroups, ...special].toSorted((a, b) => a.index - b.index);
}

describe('what is owed of a chunk', () => {
  test('is a place and a token of each device, by environment, and all about it when asked', async () => {
    const { chunk, devices } = await lease([
      {},
      { environment: 'development' },
      {},
      { environment: 'production' },
    ]);

    const owed = await readOwedChunk(database.db, chunk);

    expect(owed).toEqual({ ...NOTHING, plain: expect.any(Array) });
    const groups = new Map(owed.plain.map((group) => [group.environment, group]));
    const tokens = devices.map((device) => device.pushToken);
    expect(groups.size).toBe(3);
    expect(groups.get(null)).toMatchObject({ indexes: [0, 2], pushTokens: [tokens[0], tokens[2]] });
    expect(groups.get('development')).toMatchObject({ indexes: [1], pushTokens: [tokens[1]] });
    expect(groups.get('production')).toMatchObject({ indexes: [3], pushTokens: [tokens[3]] });
    expect(toDevices(owed)).toEqual(
      devices.map(({ id, pushToken, userId }, index) => ({
        index,
        deviceId: id,
        pushToken,
        userId,
        environment: [null, 'development', null, 'production'][index],
        tokenDeactivated: false,
        sameOwner: true,
        sameToken: true,
        attempts: 0,
        ambiguousAttempts: 0,
        history: null,
      })),
    );
  });

  test('are tokens and users as they are, whatever they are made of', async () => {
    const odd = ['a\nb', '"', '\\', 'ů\u2028🐘', '{1,2}', ' '];
    const { chunk } = await lease(odd.map((text) => ({ pushToken: text, userId: `user ${text}` })));

    const { plain, special } = await readOwedChunk(database.db, chunk);

    expect(special).toMatchObject([{ index: 0, sameOwner: true, sameToken: true, history: null }]);
    const owed = toDevices({ plain, special, waiting: new Map() });
    expect(owed.map((device) => device.pushToken)).toEqual(odd);
    expect(owed.map((device) => device.userId)).toEqual(odd.map((text) => `user ${text}`));
  });

  test('is what was not tried, and what is due again, with its attempts', async () => {
    const { db } = database;
    const { chunk, devices } = await lease(some(4));
    const later = new Date(Date.now() + 60_000);
    await record(
      chunk,
      [SENT, DEFERRED, DEFERRED, OWED],
      [toDeferred(1, new Date(0)), toDeferred(2, later)],
    );

    const owed = await readOwedChunk(db, chunk);

    expect(owed.plain).toMatchObject([{ indexes: [3], pushTokens: [devices[3]?.pushToken] }]);
    expect(owed.special).toEqual([
      {
        index: 1,
        deviceId: devices[1]?.id,
        pushToken: devices[1]?.pushToken,
        userId: devices[1]?.userId,
        environment: null,
        tokenDeactivated: false,
        sameOwner: true,
        sameToken: true,
        attempts: 2,
        ambiguousAttempts: 1,
        history: [ATTEMPT],
      },
    ]);
    expect(owed.waiting).toEqual(new Map([[2, later]]));
  });

  test('is nothing but what waits where all was tried, and nothing where all was sent', async () => {
    const { db } = database;
    const tried = await lease(some(2));
    const sent = await lease(some(2));
    const later = new Date(Date.now() + 60_000);
    await record(tried.chunk, [DEFERRED, SENT], [toDeferred(0, later)]);
    await record(sent.chunk, [SENT, SENT]);

    const ofTried = await readOwedChunk(db, tried.chunk);
    const ofSent = await readOwedChunk(db, sent.chunk);

    expect(ofTried).toEqual({ ...NOTHING, waiting: new Map([[0, later]]) });
    expect(ofSent).toEqual(NOTHING);
  });

  test('is that of this chunk only', async () => {
    const { chunk, devices } = await lease(some(4), [1, 2]);

    const owed = toDevices(await readOwedChunk(database.db, chunk));

    expect(chunk.ordinal).toBe(1);
    expect(owed).toMatchObject([
      { index: 0, deviceId: devices[1]?.id },
      { index: 1, deviceId: devices[2]?.id },
    ]);
  });

  test('says what became of the devices since', async () => {
    const { db } = database;
    // given
    const { chunk, devices, edit } = await lease(some(8));
    const now = { lastRegisteredAt: new Date() };
    const token = { pushToken: 'new', pushTokenHash: hashPushToken('new') };
    const elsewhere = await makeApp(db);

    // when
    await edit(1).set({ tokenDeactivatedAt: new Date(), environment: 'development' }).execute();
    await db
      .deleteFrom('devices')
      .where('id', '=', devices[2]?.id ?? 0)
      .execute();
    await edit(3).set(now).execute();
    await edit(4)
      .set({ ...now, ...token })
      .execute();
    await edit(5)
      .set({ ...now, userId: 'another' })
      .execute();
    await edit(6)
      .set({ ...now, provider: 'fcm' })
      .execute();
    await edit(7)
      .set({ ...now, appRef: elsewhere })
      .execute();
    const owed = await readOwedChunk(db, chunk);

    // then
    const same = { sameOwner: true, sameToken: true };
    expect(owed.plain).toMatchObject([{ indexes: [0, 3] }]);
    expect(owed.special).toMatchObject([
      { index: 1, ...same, tokenDeactivated: true, environment: 'development' },
      { index: 2, ...same, deviceId: devices[2]?.id, pushToken: null, userId: null },
      { index: 4, sameOwner: true, sameToken: false, pushToken: 'new' },
      { index: 5, sameOwner: false, sameToken: true, userId: 'another' },
      { index: 6, sameOwner: false, sameToken: true },
      { index: 7, sameOwner: false, sameToken: true },
    ]);
    // and: a user that was taken away is no owner
    await edit(5).set({ userId: null }).execute();
    expect((await readOwedChunk(db, chunk)).special[3]).toMatchObject({ sameOwner: false });
  });

  test('is not what the device was when it registered before the start, but seen later', async () => {
    const { chunk, edit } = await lease(some(1));
    await edit(0)
      .set({ pushTokenHash: hashPushToken('new'), lastRegisteredAt: new Date(0) })
      .execute();

    const owed = await readOwedChunk(database.db, chunk);

    expect(owed).toMatchObject({ plain: [], special: [{ sameToken: false }] });
  });
});
