import type { Provider } from '@heliograph/core';
import { makeApp, makeCampaign, makeRun, useTestDatabase } from '@heliograph/testing';
import fc from 'fast-check';
import { sql } from 'kysely';

import {
  deleteDevices,
  hashPushToken,
  inRegistration,
  saveDevice,
  type DeviceRegistration,
  type SharedToken,
} from '../devices.ts';
import { freezePage } from './freeze-audience.ts';
import { claimMovedToken } from './moved-tokens.ts';
import { TARGETED } from './run-counts.ts';

/*
 * Audiences of a handful of devices that share and exchange a handful of tokens, frozen in tiny pages while everybody registers.
 */

const RUNS = 150;
const database = useTestDatabase({ poolSize: 10 });

interface Registration {
  readonly activation: number;
  readonly user: number;
  readonly provider: Provider;
  readonly token: number;
  readonly environment: 'production' | 'development' | null;
  /** Rows of others with that token go. */
  readonly replaces: boolean;
}

type Step =
  | { readonly kind: 'register'; readonly device: Registration }
  /** An activation's token becomes another's, as where an app is installed again. */
  | { readonly kind: 'pass'; readonly from: number; readonly to: number; readonly instead: number }
  | { readonly kind: 'delete'; readonly token: number }
  | { readonly kind: 'deactivate'; readonly token: number }
  | { readonly kind: 'freeze' };

const token = fc.nat(11);
const activation = fc.nat(8);
const registration: fc.Arbitrary<Registration> = fc.record({
  activation,
  user: fc.nat(5),
  provider: fc.constantFrom('apns', 'apns', 'fcm'),
  token,
  environment: fc.constantFrom(null, null, 'production', 'development'),
  replaces: fc.nat(4).map((n) => n === 0),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: registration.map((device): Step => ({ kind: 'register', device })) },
  {
    weight: 5,
    arbitrary: fc
      .record({ from: activation, to: activation, instead: fc.integer({ min: 12, max: 15 }) })
      .map((pass): Step => ({ kind: 'pass', ...pass })),
  },
  { weight: 1, arbitrary: token.map((of): Step => ({ kind: 'delete', token: of })) },
  { weight: 1, arbitrary: token.map((of): Step => ({ kind: 'deactivate', token: of })) },
  { weight: 4, arbitrary: fc.constant<Step>({ kind: 'freeze' }) },
);
const world = fc.record({
  registry: fc.array(registration, { minLength: 6, maxLength: 16 }),
  /** Users are numbered; so many of them are in the campaign. */
  members: fc.integer({ min: 3, max: 6 }),
  providers: fc.constantFrom<readonly Provider[]>(['apns', 'fcm'], ['apns', 'fcm'], ['apns']),
  productionOnly: fc.boolean(),
  fewUsers: fc.boolean(),
  pageSize: fc.integer({ min: 1, max: 4 }),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

interface Registry {
  readonly appRef: number;
  readonly appId: string;
}

const toToken = (of: number) => `token ${of}`;

const toActivationId = ({ appRef }: Registry, of: number) => `${appRef} ${of}`;

/** As the api does. */
async function save(
  { appRef }: Registry,
  device: Omit<DeviceRegistration, 'appRef' | 'activationActive'>,
  shared: SharedToken,
): Promise<void> {
  const { activationId, pushToken } = device;
  await inRegistration(database.db, { pushToken, activationIds: [activationId] }, (tx) =>
    saveDevice(tx, { ...device, appRef, activationActive: true }, shared),
  );
}

async function register(registry: Registry, device: Registration): Promise<void> {
  const { provider, environment } = device;
  await save(
    registry,
    {
      activationId: toActivationId(registry, device.activation),
      userId: `user ${device.user}`,
      provider,
      environment,
      pushToken: toToken(device.token),
    },
    device.replaces ? { kind: 'replace', written: new Set() } : { kind: 'refuse' },
  );
}

async function passToken(
  registry: Registry,
  change: { readonly from: number; readonly to: number; readonly instead: number },
): Promise<void> {
  const devices = await database.db
    .selectFrom('devices')
    .select(['activationId', 'userId', 'provider', 'environment', 'pushToken'])
    .where('appRef', '=', registry.appRef)
    .execute();
  const find = (activationOf: number) =>
    devices.find((device) => device.activationId === toActivationId(registry, activationOf));
  const [from, to] = [find(change.from), find(change.to)];
  if (from === undefined || to === undefined || from === to) return;
  await save(registry, { ...from, pushToken: toToken(change.instead) }, { kind: 'refuse' });
  await save(registry, { ...to, pushToken: from.pushToken }, { kind: 'refuse' });
}

async function take(registry: Registry, change: Exclude<Step, { kind: 'freeze' }>): Promise<void> {
  const { db } = database;
  switch (change.kind) {
    case 'register':
      return register(registry, change.device);
    case 'pass':
      return passToken(registry, change);
    case 'delete':
      await deleteDevices(db, registry.appId, toToken(change.token));
      return;
    case 'deactivate':
      await db
        .updateTable('devices')
        .set({ tokenDeactivatedAt: new Date() })
        .where('appRef', '=', registry.appRef)
        .where('pushTokenHash', '=', hashPushToken(toToken(change.token)))
        .execute();
  }
}

async function makeWorld({ registry, members, providers, productionOnly }: World) {
  const { db } = database;
  const appRef = await makeApp(db, providers);
  const { appId } = await db
    .selectFrom('apps')
    .select('appId')
    .where('id', '=', appRef)
    .executeTakeFirstOrThrow();
  if (productionOnly)
    await db
      .updateTable('credentials')
      .set({ environment: 'production' })
      .where('appRef', '=', appRef)
      .where('provider', '=', 'apns')
      .execute();
  for (const device of registry) await register({ appRef, appId }, device);
  const users = Array.from({ length: members }, (_, n) => `user ${n}`);
  return { appRef, appId, campaign: await makeCampaign(db, appRef, users) };
}

async function start(
  campaign: { appRef: number; campaignId: number },
  { fewUsers, dryRun }: { fewUsers: boolean; dryRun: boolean },
): Promise<string> {
  const runId = await makeRun(database.db, campaign, { dryRun });
  await database.db.updateTable('campaignRuns').set({ fewUsers }).where('id', '=', runId).execute();
  return runId;
}

interface Frozen {
  readonly deviceId: number;
  readonly provider: Provider;
  readonly tokenHash: string;
}

const toKey = (provider: string, hash: Buffer) =>
  `${provider} ${hash.subarray(0, 16).toString('hex')}`;

/** The audience as its chunks say, which must fit each other. */
async function readAudience(runId: string): Promise<readonly Frozen[]> {
  const chunks = await database.db
    .selectFrom('campaignChunks')
    .selectAll()
    .where('runId', '=', runId)
    .orderBy('ordinal')
    .execute();
  const lastIds = new Map<Provider, number>();
  return chunks.flatMap((chunk, ordinal) => {
    const ids = chunk.deviceIds.map(Number);
    expect(chunk.ordinal).toBe(ordinal);
    expect([chunk.firstDeviceId, chunk.lastDeviceId]).toEqual([ids[0], ids.at(-1)]);
    expect(chunk.firstDeviceId).toBeGreaterThan(lastIds.get(chunk.provider) ?? 0);
    lastIds.set(chunk.provider, chunk.lastDeviceId);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(chunk.outcomes).toEqual(Buffer.alloc(ids.length));
    expect(chunk.userHashes).toHaveLength(ids.length);
    expect(chunk.tokenHashes).toHaveLength(ids.length * 16);
    return ids.map((deviceId, n) => ({
      deviceId,
      provider: chunk.provider,
      tokenHash: toKey(chunk.provider, chunk.tokenHashes.subarray(n * 16)),
    }));
  });
}

async function readCounts(runId: string) {
  const { rows } = await sql<{ provider: string; reason: string; count: number }>`
    SELECT provider, 'targeted' AS reason, count FROM campaign_run_counts WHERE run_id = ${runId} AND code = ${TARGETED}
    UNION ALL
    SELECT provider, reason, count FROM campaign_run_exclusions WHERE run_id = ${runId}
    ORDER BY 1, 2`.execute(database.db);
  return rows;
}

/** Devices of the campaign's users that the run has not looked at yet, and whether they could be sent to. */
async function readWaiting(runId: string) {
  const { rows } = await sql<{
    id: number;
    provider: Provider;
    pushTokenHash: Buffer;
    canBeSent: boolean;
  }>`
    SELECT d.id, d.provider, d.push_token_hash, d.token_deactivated_at IS NULL AND k.app_ref IS NOT NULL
      AND NOT coalesce(k.environment = 'production' AND d.provider = 'apns' AND d.environment = 'development', false) AS can_be_sent
    FROM campaign_runs r
    JOIN devices d ON d.app_ref = r.app_ref AND d.id > r.device_cursor AND d.created_at <= r.started_at
    JOIN campaign_users u ON u.campaign_id = r.campaign_id AND u.user_id = d.user_id
    LEFT JOIN credentials k ON k.app_ref = d.app_ref AND k.provider = d.provider
    WHERE r.id = ${runId} ORDER BY d.id`.execute(database.db);
  return rows;
}

function expectNothingTwice(keys: readonly string[]): void {
  expect(keys.toSorted()).toEqual([...new Set(keys)].toSorted());
}

describe('an audience', () => {
  test('whatever is registered while it is frozen, holds every device once or counts why not', async () => {
    const { db } = database;
    await fc.assert(
      fc.asyncProperty(world, fc.array(step, { maxLength: 25 }), async (given, steps) => {
        // given
        const registry = await makeWorld(given);
        const runId = await start(registry.campaign, { ...given, dryRun: false });
        let eligible = 0;

        /** Freezes a page, and looks at what became of everybody in it. */
        async function freeze(): Promise<boolean> {
          const before = await readWaiting(runId);
          const more = await freezePage(db, runId, given.pageSize);
          const after = new Set((await readWaiting(runId)).map((device) => device.id));
          const page = before.filter((device) => !more || !after.has(device.id));
          const tokens = new Set((await readAudience(runId)).map((device) => device.tokenHash));
          for (const device of page)
            if (device.canBeSent)
              expect(tokens).toContain(toKey(device.provider, device.pushTokenHash));
          eligible += page.length;
          return more;
        }

        // when
        let more = true;
        for (const change of steps)
          if (change.kind !== 'freeze') await take(registry, change);
          else if (more) more = await freeze();
        while (more) more = await freeze();

        // then
        const audience = await readAudience(runId);
        const counts = await readCounts(runId);
        expectNothingTwice(audience.map((device) => device.tokenHash));
        expectNothingTwice(audience.map((device) => `${device.deviceId}`));
        expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(eligible);
        const targeted = counts.filter((count) => count.reason === 'targeted');
        expect(targeted.reduce((sum, { count }) => sum + count, 0)).toBe(audience.length);

        // and: of the tokens that devices have by now, each is sent to once, and none that another was frozen with
        const frozen = new Set(audience.map((device) => device.tokenHash));
        const now = await db
          .selectFrom('devices')
          .select(['id', 'provider', 'pushToken', 'pushTokenHash'])
          .where('appRef', '=', registry.appRef)
          .execute();
        const moved = audience.flatMap((was) => {
          const is = now.find((one) => one.id === was.deviceId && one.provider === was.provider);
          const key = is === undefined ? was.tokenHash : toKey(is.provider, is.pushTokenHash);
          return is === undefined || key === was.tokenHash ? [] : [{ ...is, key }];
        });
        const answers = await Promise.all(
          moved.map(({ id: deviceId, provider, pushToken }) =>
            claimMovedToken(db, { runId, provider, deviceId, pushToken }),
          ),
        );
        const claimed = moved.filter((_, n) => answers[n]).map((device) => device.key);
        expectNothingTwice([...frozen, ...claimed]);
        for (const { key } of moved) expect([...frozen, ...claimed]).toContain(key);
      }),
      { numRuns: RUNS },
    );
  }, 60_000);

  test('is the same however it is found, and counted without being frozen', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const { campaign } = await makeWorld(given);
        const counts = [];
        const audiences = [];
        for (const fewUsers of [true, false])
          for (const dryRun of [true, false]) {
            const runId = await start(campaign, { fewUsers, dryRun });
            while (await freezePage(database.db, runId, given.pageSize));
            counts.push(await readCounts(runId));
            const audience = await readAudience(runId);
            if (dryRun) expect(audience).toEqual([]);
            else audiences.push(audience.toSorted((a, b) => a.deviceId - b.deviceId));
          }

        expect(counts).toEqual([counts[0], counts[0], counts[0], counts[0]]);
        expect(audiences[1]).toEqual(audiences[0]);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
