import { createRunId } from '@heliograph/core';
import { openDatabase, openPause, saveCredential, type Db } from '@heliograph/db';
import { createLogger, Metrics } from '@heliograph/runtime';
import { makeApp, oweMessage, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { startFleetMeter } from './fleet-meter.ts';

const database = useTestDatabase();
const log = createLogger('test', 'silent');
const DAY_MS = 24 * 3_600_000;

/** A meter whose timer never comes. */
async function open(db: Db = database.db) {
  const metrics = new Metrics();
  const meter = startFleetMeter({
    db,
    metrics,
    log,
    now: () => new Date(),
    everyMs: 3_600_000,
  });
  await meter.run();
  const read = async () =>
    (await metrics.render()).split('\n').filter((line) => /^[a-z]/.test(line));
  const find = async (name: string) => {
    const found = (await read()).find((line) => line.startsWith(name));
    return found === undefined ? undefined : Number(found.split(' ').at(-1));
  };
  return { meter, read, find };
}

/** What an earlier test left is not to be found by the next one. */
beforeEach(async () => {
  for (const table of ['deliveries', 'messages', 'pauses', 'token_faults', 'campaign_runs'])
    await sql`DELETE FROM ${sql.table(table)}`.execute(database.db);
  await sql`DELETE FROM fleet_meter`.execute(database.db);
});

describe('what the fleet has in common', () => {
  test('is measured by one dispatcher of all, and by the next one when that stops', async () => {
    const [first, second] = [await open(), await open()];
    expect(await first.read()).not.toEqual([]);
    expect(await second.read()).toEqual([]);

    await first.meter.close();
    await second.meter.run();

    expect(await first.read()).toEqual([]);
    expect(await second.read()).not.toEqual([]);
    await second.meter.close();
  });

  test('is taken over from one that died', async () => {
    const [first, second] = [await open(), await open()];

    await sql`UPDATE fleet_meter SET held_until = now()`.execute(database.db);
    await second.meter.run();
    await first.meter.run();

    expect(await second.read()).not.toEqual([]);
    expect(await first.read()).toEqual([]);
    await first.meter.close();
    await second.meter.close();
  });

  test('is not told while nobody knows it', async () => {
    const own = openDatabase(database.url, 2);
    const { meter, read } = await open(own);
    expect(await read()).not.toEqual([]);

    await own.destroy();
    await meter.run();

    expect(await read()).toEqual([]);
    await meter.close();
  });
});

describe('the backlog', () => {
  test('is what is due and not paused; its age is that of what nobody has in hand', async () => {
    const { db } = database;
    const { ids } = await oweMessage(db, 3);
    const dueAt = new Date(Date.now() - 90_000);
    await db
      .updateTable('deliveries')
      .set({ nextAttemptAt: dueAt })
      .where('id', 'in', ids)
      .execute();
    await db
      .updateTable('deliveries')
      .set({ nextAttemptAt: new Date(0), leaseUntil: new Date(Date.now() + DAY_MS) })
      .where('id', '=', ids[0] ?? '')
      .execute();

    const { meter, find } = await open();

    expect(await find('heliograph_waiting_deliveries{lane="message"}')).toBe(3);
    const age = (await find('heliograph_oldest_waiting_seconds{lane="message"}')) ?? 0;
    expect(age).toBeGreaterThanOrEqual(90);
    expect(age).toBeLessThan(DAY_MS / 1000);
    await meter.close();
  });

  test('of campaigns counts a thousand per chunk that is due', async () => {
    const { db } = database;
    const runId = await makeRun(db);
    await sql`
      INSERT INTO campaign_chunks (run_id, ordinal, provider, first_device_id, last_device_id, device_ids, token_hashes,
        user_hashes, outcomes, due_at)
      SELECT ${runId}, n, 'apns', 1, 1, '{1}', '\\x00', '{0}', '\\x00', now() - interval '1 minute' FROM generate_series(0, 1) AS n`.execute(
      db,
    );

    const { meter, find } = await open();

    expect(await find('heliograph_waiting_deliveries{lane="campaign"}')).toBe(2000);
    expect(await find('heliograph_oldest_waiting_seconds{lane="campaign"}')).toBeGreaterThanOrEqual(
      60,
    );
    await meter.close();
  });
});

describe('a ledger', () => {
  test('is balanced with messages under way and over', async () => {
    const { db } = database;
    await oweMessage(db, 3);
    await oweMessage(db, 1);

    const { meter, find } = await open();

    expect(await find('heliograph_ledger_imbalance')).toBe(0);
    await meter.close();
  });

  test('is not where deliveries of a message are gone', async () => {
    const { db } = database;
    const { ids } = await oweMessage(db, 5);
    // The latest message may have been cut off by the bound, and is not looked at.
    await oweMessage(db, 1);
    await db.deleteFrom('deliveries').where('id', 'in', ids.slice(0, 2)).execute();

    const { meter, find } = await open();

    expect(await find('heliograph_ledger_imbalance')).toBe(2);
    await meter.close();
  });

  test.each([
    ['over, and all of it accounted for', true, { '-1': 10, '1': 8, '50': 2 }, 0],
    ['over, and some of it not', true, { '-1': 10, '1': 8 }, 2],
    ['under way', false, { '-1': 10, '1': 3, '2': 4 }, 0],
    ['under way, with more outcomes than devices', false, { '-1': 10, '1': 13 }, 3],
    ['under way, with less than nothing', false, { '-1': 10, '2': -4 }, 4],
  ])('of a run that is %s', async (_, isOver, counts, imbalance) => {
    const { db } = database;
    const runId = await makeRun(db, isOver);
    for (const [code, count] of Object.entries(counts))
      await sql`
        INSERT INTO campaign_run_counts (run_id, provider, code, shard, count)
        VALUES (${runId}, 'apns', ${Number(code)}, 0, ${count})`.execute(db);

    const { meter, find } = await open();

    expect(await find('heliograph_ledger_imbalance')).toBe(imbalance);
    await meter.close();
  });
});

test('pauses are told by their kind and reason, breakers by their provider', async () => {
  const { db } = database;
  const appRef = await makeApp(db, ['apns', 'fcm']);
  const versionOf = async (provider: string) => {
    const row = await db
      .selectFrom('credentials')
      .select('version')
      .where('appRef', '=', appRef)
      .where('provider', '=', provider === 'apns' ? 'apns' : 'fcm')
      .executeTakeFirstOrThrow();
    return row.version;
  };
  const scope = (provider: 'apns' | 'fcm', credentialVersion: number) => ({
    appRef,
    provider,
    environment: '' as const,
    credentialVersion,
  });
  const apns = scope('apns', await versionOf('apns'));
  await openPause(db, apns, 'credential', 'InvalidProviderToken');
  await openPause(db, apns, 'endpoint', 'provider_trouble');
  await openPause(db, scope('fcm', await versionOf('fcm')), 'app', 'words from the network');

  const { meter, read } = await open();

  expect((await read()).filter((line) => /paused|breakers/.test(line)).toSorted()).toEqual([
    'heliograph_breakers_open{provider="apns"} 1',
    'heliograph_breakers_open{provider="fcm"} 0',
    'heliograph_paused_scopes{kind="app",reason="other"} 1',
    'heliograph_paused_scopes{kind="credential",reason="InvalidProviderToken"} 1',
    'heliograph_paused_scopes{kind="endpoint",reason="provider_trouble"} 1',
  ]);
  await meter.close();
});

test('of an app’s certificates the first to end is told', async () => {
  const { db } = database;
  const appRef = await makeApp(db, []);
  const { appId } = await db
    .selectFrom('apps')
    .select('appId')
    .where('id', '=', appRef)
    .executeTakeFirstOrThrow();
  await saveCredential(db, {
    appRef,
    provider: 'apns',
    environment: null,
    settings: {
      bundle: 'com.example',
      certificate: {
        commonName: 'Apple',
        topics: [],
        fingerprint: 'ab'.repeat(32),
        validTo: new Date(Date.now() + 5.5 * DAY_MS).toISOString(),
      },
    },
    sealedKey: Buffer.from('sealed'),
  });

  const { meter, find } = await open();

  expect(await find(`heliograph_certificate_days_left{app="${appId}",provider="apns"}`)).toBe(5);
  await meter.close();
});

test('faults that the guard holds are counted', async () => {
  const { db } = database;
  await sql`
    INSERT INTO token_faults (app_ref, provider, environment, credential_version, device_id, push_token_hash, reason, kind,
      invalid_since, state)
    SELECT 1, 'apns', '', 1, n, int4send(n), 'BadDeviceToken', 'wrong_place', now(), state
    FROM unnest(ARRAY['held', 'held', 'noted']) WITH ORDINALITY AS f (state, m), LATERAL (SELECT m::integer AS n) x`.execute(
    db,
  );

  const { meter, find } = await open();

  expect(await find('heliograph_token_faults_held')).toBe(2);
  await meter.close();
});

async function makeRun(db: Db, isOver = false): Promise<string> {
  const runId = createRunId(Date.now());
  await sql`
    INSERT INTO campaign_runs (id, campaign_id, app_ref, message, state, dry_run, start_at, started_at, materialised_at, finished_at)
    VALUES (${runId}, 1, 1, '{}', ${isOver ? 'completed' : 'running'}, false, now(), now(), now(),
      ${isOver ? new Date() : null})`.execute(db);
  return runId;
}
