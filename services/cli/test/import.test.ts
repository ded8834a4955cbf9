import { randomBytes, randomUUID } from 'node:crypto';

import { createSecretBox, toKeyId } from '@heliograph/core';
import {
  deleteDevices,
  inRegistration,
  insertCampaign,
  listCampaigns,
  listCampaignUsers,
  listInboxMessages,
  removeCampaignUsers,
  saveDevice,
  setActivationActive,
  setActivationStatus,
  toKeyPlace,
  tryWithLock,
  type Db,
} from '@heliograph/db';
import { eventually, makeRun } from '@heliograph/testing';
import { sql } from 'kysely';

import { countsOf, openImportRig, runImport, type Ended, type ImportRig } from './import-rig.ts';
import { insertDevices, openOriginal, type Shape } from './original.ts';

let rig: ImportRig;
afterEach(() => rig.close());

const ALL = { offset: 0, limit: 1000 };

/** An app with the public id 7, as its row is called in campaigns and devices. */
async function insertApp(shape: Shape): Promise<number> {
  const key = {
    [shape === 'head' ? 'apns_private_key' : 'ios_private_key']: Buffer.from('a key of the app'),
  };
  const prefix = shape === 'head' ? 'apns' : 'ios';
  await rig.original.insert('push_app_credentials', {
    id: 3,
    app_id: 7,
    ...key,
    [`${prefix}_team_id`]: 'TEAMID1234',
    [`${prefix}_key_id`]: 'KEYID12345',
    [`${prefix}_bundle`]: 'com.example',
  });
  return shape === 'head' ? 3 : 7;
}

async function openWithDevices(shape: Shape, count: number): Promise<number> {
  rig = await openImportRig(shape);
  const app = await insertApp(shape);
  await insertDevices(rig.original, app, count);
  return app;
}

async function devices() {
  return rig.target.db
    .selectFrom('devices')
    .innerJoin('apps', 'apps.id', 'devices.appRef')
    .leftJoin('activations', 'activations.activationId', 'devices.activationId')
    .select([
      'devices.activationId',
      'devices.userId',
      'apps.appId',
      'provider',
      'environment',
      'pushToken',
      'activationActive',
      'status',
      sql<string>`last_registered_at::timestamptz AT TIME ZONE 'UTC'`.as('registered'),
    ])
    .orderBy('devices.id')
    .execute();
}

async function deviceOf(activationId: string) {
  return (await devices()).find((device) => device.activationId === activationId);
}

async function appRef(appId = '7'): Promise<number> {
  const app = rig.target.db.selectFrom('apps').select('id').where('appId', '=', appId);
  return (await app.executeTakeFirstOrThrow()).id;
}

/** As the api does it, up to its commit, which waits for `until`. */
async function registerHere(
  activationId: string,
  pushToken: string,
  until?: Promise<void>,
): Promise<void> {
  const ref = await appRef();
  const scope = { pushToken, activationIds: [activationId] };
  await inRegistration(rig.target.db, scope, async (tx) => {
    const registration = {
      appRef: ref,
      activationId,
      userId: 'user-here',
      provider: 'apns',
      environment: null,
      pushToken,
      activationActive: true,
    } as const;
    await saveDevice(tx, registration, { kind: 'refuse' });
    await until;
  });
}

describe.each<Shape>(['1.1', 'head'])('import powerauth from shape %s', (shape) => {
  test('takes devices with their users, platforms, tokens, times and activations', async () => {
    await openWithDevices(shape, 3);

    const ended = await rig.run();

    expect([ended.code, ended.err]).toEqual([0, expect.stringContaining('devices: 3 of 3 rows')]);
    expect(countsOf(ended, 'devices')).toEqual([3, 3, 0, 0, 0, 0, 0]);
    expect(await devices()).toMatchObject([
      {
        activationId: 'activation-1',
        userId: 'user-1',
        appId: '7',
        provider: 'fcm',
        pushToken: 'token-1',
        activationActive: true,
        status: 'ACTIVE',
      },
      { activationId: 'activation-2', provider: 'apns', activationActive: true },
      { activationId: 'activation-3', activationActive: false, status: 'BLOCKED' },
    ]);
    const { rows } = await sql`
      SELECT last_registered_at = '2021-06-11T09:00:01.123456Z' AS exact, push_token_hash = sha256('token-1') AS hashed
      FROM devices ORDER BY id LIMIT 1`.execute(rig.target.db);
    expect(rows).toEqual([{ exact: true, hashed: true }]);
  });

  test.each(['bytea', 'oid'])('seals keys that it reads from %s', async (type) => {
    await openWithDevices(shape, 0);
    const column = shape === 'head' ? 'apns_private_key' : 'ios_private_key';
    if (type === 'oid')
      await rig.original.run(`
        ALTER TABLE push_app_credentials ALTER ${column} TYPE oid USING lo_from_bytea(0, ${column})`);

    await rig.run();

    const {
      appRef: ref,
      settings,
      sealedKey,
    } = await rig.target.db
      .selectFrom('credentials')
      .select(['appRef', 'settings', 'sealedKey'])
      .executeTakeFirstOrThrow();
    const key = Buffer.from(rig.env['SECRETS_KEY'] ?? '', 'base64');
    const opened = createSecretBox(key).open(sealedKey, toKeyPlace(ref, 'apns'));
    expect(opened.toString()).toBe('a key of the app');
    expect(settings).toEqual({
      bundle: 'com.example',
      keyId: 'KEYID12345',
      teamId: 'TEAMID1234',
    });
    expect(sealedKey.includes('a key of the app')).toBe(false);
  });

  test('says nothing of keys and tokens, and is refused without the key that it sealed them with', async () => {
    await openWithDevices(shape, 1);
    const key = rig.env['SECRETS_KEY'] ?? '';

    const taken = await rig.run();
    const refused = await runImport(
      { ...rig.env, SECRETS_KEY: randomBytes(32).toString('base64') },
      [`--from=${rig.original.url}`],
    );

    expect(taken.code).toBe(0);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(
      `secrets keys are missing: key ${toKeyId(Buffer.from(key, 'base64'))} sealed 1 in credentials.sealed_key`,
    );
    const said = [taken, refused].map(({ out, err }) => out + err).join('');
    for (const secret of [key, 'a key of the app', 'token-1']) expect(said).not.toContain(secret);
  });

  test('needs no more of the source than to read it', async () => {
    await openWithDevices(shape, 1);
    const role = `reader_${randomUUID().replaceAll('-', '')}`;
    await rig.original.run(`
      CREATE ROLE ${role} LOGIN PASSWORD 'reader';
      GRANT USAGE ON SCHEMA original TO ${role};
      GRANT SELECT ON ALL TABLES IN SCHEMA original TO ${role}`);
    const url = Object.assign(new URL(rig.original.url), { username: role, password: 'reader' });

    const ended = await rig.run(`--from=${url.href}`);

    await rig.original.run(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    expect(ended.code).toBe(0);
  });

  test('reads times in the zone of the original', async () => {
    await openWithDevices(shape, 1);

    await rig.run('--time-zone=Europe/Prague');

    const { rows } = await sql`
      SELECT last_registered_at = '2021-06-11T07:00:01.123456Z' AS exact FROM devices`.execute(
      rig.target.db,
    );
    expect(rows).toEqual([{ exact: true }]);
  });

  test('takes campaigns with their numbers, users and state', async () => {
    rig = await openImportRig(shape);
    const app = await insertApp(shape);
    const message = JSON.stringify({
      title: 'Hi',
      body: null,
      badge: 2,
      validUntil: 1_900_000_000.5,
      extras: { a: [1, null] },
      unknown: 1,
    });
    await rig.original.insert(
      'push_campaign',
      { id: 2, app_id: app, message, is_sent: false, timestamp_created: '2021-06-01' },
      {
        id: 5,
        app_id: app,
        message: '{}',
        is_sent: true,
        timestamp_created: '2021-06-02',
        timestamp_sent: '2021-06-03',
        timestamp_completed: '2021-06-04',
      },
    );
    await rig.original.insert(
      'push_campaign_user',
      { id: 1, campaign_id: 2, user_id: 'b' },
      { id: 2, campaign_id: 2, user_id: 'a' },
      { id: 3, campaign_id: 2, user_id: 'b' },
      { id: 4, campaign_id: 5, user_id: 'c' },
    );

    const ended = await rig.run();

    expect(ended.code).toBe(0);
    expect(await listCampaigns(rig.target.db, { unsentOnly: false })).toEqual([
      {
        id: 2,
        appId: '7',
        message: {
          title: 'Hi',
          badge: 2,
          extras: { a: [1, null] },
          validUntil: '2030-03-17T17:46:40.500Z',
        },
        sent: false,
        createdAt: new Date('2021-06-01T00:00:00Z'),
        sentAt: null,
        completedAt: null,
      },
      expect.objectContaining({
        id: 5,
        sent: true,
        sentAt: new Date('2021-06-03T00:00:00Z'),
        completedAt: new Date('2021-06-04T00:00:00Z'),
      }),
    ]);
    expect(await listCampaignUsers(rig.target.db, 2, ALL)).toEqual(['b', 'a']);
    expect(await insertCampaign(rig.target.db, { appRef: await appRef(), message: {} })).toBe(6);
  });

  test('changes nothing when it runs again and nothing changed', async () => {
    const app = await openWithDevices(shape, 10);
    await rig.original.insert('push_campaign', { id: 1, app_id: app, message: '{}' });
    await rig.original.insert('push_campaign_user', { id: 1, campaign_id: 1, user_id: 'a' });
    await rig.run();
    const before = await rig.snapshot();

    const ended = await rig.run();

    expect(ended.code).toBe(0);
    expect(countsOf(ended, 'devices')).toEqual([10, 0, 0, 10, 0, 0, 0]);
    expect(countsOf(ended, 'campaigns')).toEqual([1, 0, 0, 1, 0, 0, 0]);
    expect(await rig.snapshot()).toEqual(before);
  });

  test('writes nothing in a dry run, and says what it found', async () => {
    const app = await openWithDevices(shape, 10);
    await rig.original.insert('push_campaign', { id: 1, app_id: app, message: 'no JSON' });
    const before = await rig.snapshot();

    const ended = await rig.run('--dry-run');

    expect(ended.code).toBe(3);
    expect(ended.out).toContain('Nothing was written.');
    expect(ended.out).toContain('1 × campaigns: with a message that cannot be read (1)');
    expect(countsOf(ended, 'devices')).toEqual([10, 10, 0, 0, 0, 0, 0]);
    expect(await rig.snapshot()).toEqual(before);
    const imports = rig.target.db.selectFrom('imports').select('id');
    expect(await imports.execute()).toEqual([]);
  });
});

describe('what changed at the source since', () => {
  test('is taken: registrations, states, new devices, and those that went away', async () => {
    const app = await openWithDevices('1.1', 5);
    await rig.run();

    await rig.original.run(`
      UPDATE push_device_registration SET push_token = 'new', timestamp_last_registered = '2022-01-01' WHERE id = 1;
      UPDATE push_device_registration SET is_active = false WHERE id = 2;
      UPDATE push_device_registration SET activation_id = 'moved', user_id = 'other', timestamp_last_registered = '2022-01-01'
        WHERE id = 3;
      DELETE FROM push_device_registration WHERE id = 4`);
    await rig.original.insert('push_device_registration', {
      id: 9,
      activation_id: 'activation-9',
      user_id: 'user-9',
      app_id: app,
      platform: 'ios',
      push_token: 'token-9',
      is_active: true,
    });
    const ended = await rig.run();

    expect(countsOf(ended, 'devices')).toEqual([5, 2, 2, 1, 0, 2, 0]);
    expect(await devices()).toMatchObject([
      { activationId: 'activation-1', pushToken: 'new' },
      { activationId: 'activation-2', activationActive: false, status: 'BLOCKED' },
      { activationId: 'activation-5' },
      { activationId: 'moved', userId: 'other', pushToken: 'token-3' },
      { activationId: 'activation-9' },
    ]);
  });

  test('is taken of an activation that went to another row', async () => {
    await openWithDevices('1.1', 2);
    await rig.run();

    await rig.original.run(`
      UPDATE push_device_registration SET activation_id = 'x' WHERE id = 1;
      UPDATE push_device_registration SET activation_id = 'activation-1', timestamp_last_registered = '2022-01-01' WHERE id = 2;
      UPDATE push_device_registration SET activation_id = 'activation-2', timestamp_last_registered = '2022-01-01' WHERE id = 1`);
    await rig.run();

    expect(await devices()).toMatchObject([
      { activationId: 'activation-1', pushToken: 'token-2' },
      { activationId: 'activation-2', pushToken: 'token-1' },
    ]);
  });

  test('is taken of campaigns: users, state, and those that were deleted', async () => {
    rig = await openImportRig('1.1');
    for (const id of [1, 2])
      await rig.original.insert('push_campaign', { id, app_id: 7, message: '{}', is_sent: false });
    for (const [id, user] of ['a', 'b'].entries())
      await rig.original.insert('push_campaign_user', { id, campaign_id: 1, user_id: user });
    await rig.run();

    await rig.original.run(`
      UPDATE push_campaign SET is_sent = true, timestamp_sent = '2021-06-03' WHERE id = 1;
      DELETE FROM push_campaign WHERE id = 2;
      DELETE FROM push_campaign_user WHERE user_id = 'a';
      INSERT INTO push_campaign_user VALUES (7, 1, 'c')`);
    const ended = await rig.run();

    expect(countsOf(ended, 'campaigns')).toEqual([1, 0, 1, 0, 0, 1, 0]);
    expect(await listCampaigns(rig.target.db, { unsentOnly: false })).toMatchObject([
      { id: 1, sent: true },
    ]);
    expect(await listCampaignUsers(rig.target.db, 1, ALL)).toEqual(['b', 'c']);
  });

  test('holds very many departures back until they are accepted', async () => {
    await openWithDevices('1.1', 200);
    await rig.run();
    await rig.original.run('DELETE FROM push_device_registration WHERE id > 50');

    const held = await rig.run();
    const heldDevices = (await devices()).length;
    const accepted = await rig.run('--accept-removals');

    expect([held.code, heldDevices]).toEqual([3, 200]);
    expect(held.out).toContain('the removal of 150 devices');
    expect(accepted.code).toBe(0);
    expect(await devices()).toHaveLength(50);
  });
});

describe('what changed here since', () => {
  test('stays: registrations, states, deletions, moved tokens', async () => {
    await openWithDevices('1.1', 6);
    await rig.run();

    await registerHere('activation-1', 'here');
    await deleteDevices(rig.target.db, '7', 'token-2');
    // The token goes to another activation, with the row of the third.
    await registerHere('somebody', 'token-3');
    await inRegistration(rig.target.db, { activationIds: ['activation-4'] }, async (tx) => {
      await setActivationStatus(tx, 'activation-4', 'BLOCKED');
      await setActivationActive(tx, 'activation-4', false);
    });
    // Something changes at the source of each of them, and of the fifth.
    await rig.original.run(`UPDATE push_device_registration SET user_id = 'renamed' WHERE id < 6`);
    const before = await devices();
    const ended = await rig.run();

    expect(countsOf(ended, 'devices')).toEqual([6, 0, 2, 1, 3, 0, 0]);
    expect(await devices()).toEqual(
      before.map((device) =>
        ['activation-4', 'activation-5'].includes(device.activationId)
          ? { ...device, userId: 'renamed' }
          : device,
      ),
    );
  });

  test('stays where it was before the first import', async () => {
    await openWithDevices('1.1', 3);
    await rig.target.db.insertInto('apps').values({ appId: '7', appName: null }).execute();
    await registerHere('activation-1', 'here');
    await registerHere('somebody', 'token-2');
    await setActivationStatus(rig.target.db, 'activation-3', 'ACTIVE');

    const ended = await rig.run();

    expect(countsOf(ended, 'devices')).toEqual([3, 1, 0, 0, 2, 0, 0]);
    expect(await devices()).toMatchObject([
      { activationId: 'activation-1', pushToken: 'here', userId: 'user-here' },
      { activationId: 'somebody', pushToken: 'token-2' },
      { activationId: 'activation-3', activationActive: true, status: 'ACTIVE' },
    ]);
  });

  test('counts while it is being registered: a page waits for it', async () => {
    await openWithDevices('1.1', 1);
    await rig.target.db.insertInto('apps').values({ appId: '7', appName: null }).execute();
    let commit = () => {};
    const committed = new Promise<void>((resolve) => (commit = resolve));

    const registered = registerHere('somebody', 'token-1', committed);
    const run = rig.run();
    await eventually(async () => {
      const { rows } = await sql`
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`.execute(
        rig.target.db,
      );
      expect(rows).toHaveLength(1);
    });
    commit();
    await registered;

    expect(countsOf(await run, 'devices')).toEqual([1, 0, 0, 0, 1, 0, 0]);
    expect(await devices()).toMatchObject([{ activationId: 'somebody', pushToken: 'token-1' }]);
  });

  test('gives way to a later registration at the source', async () => {
    await openWithDevices('1.1', 1);
    await rig.run();
    await registerHere('activation-1', 'here');

    await rig.original.run(`
      UPDATE push_device_registration SET push_token = 'later', timestamp_last_registered = now() AT TIME ZONE 'UTC'`);
    await rig.run();

    expect(await deviceOf('activation-1')).toMatchObject({ pushToken: 'later', userId: 'user-1' });
  });

  test('stays of a device whose token was found dead, until it registers again', async () => {
    await openWithDevices('1.1', 2);
    await rig.run();
    await sql`UPDATE devices SET token_deactivated_at = now(), token_deactivated_reason = 'Unregistered'`.execute(
      rig.target.db,
    );

    await rig.original.run(`
      UPDATE push_device_registration SET is_active = NOT is_active;
      UPDATE push_device_registration SET timestamp_last_registered = '2022-01-01' WHERE id = 2`);
    await rig.run();

    const { rows } = await sql`
      SELECT activation_active, token_deactivated_at IS NULL AS alive FROM devices ORDER BY id`.execute(
      rig.target.db,
    );
    expect(rows).toEqual([
      { activationActive: false, alive: false },
      { activationActive: false, alive: true },
    ]);
  });

  test('stays of campaigns: users who were removed, and what was sent live', async () => {
    rig = await openImportRig('1.1');
    for (const id of [1, 2]) {
      await rig.original.insert('push_campaign', { id, app_id: 7, message: '{}', is_sent: false });
      await rig.original.insert('push_campaign_user', { id, campaign_id: id, user_id: 'a' });
    }
    await rig.run();
    await removeCampaignUsers(rig.target.db, 1, ['a']);
    await makeRun(rig.target.db, { campaignId: 2, appRef: await appRef() });

    await rig.original.run(`
      INSERT INTO push_campaign_user VALUES (8, 1, 'b'), (9, 2, 'b');
      DELETE FROM push_campaign WHERE id = 2`);
    const ended = await rig.run();

    expect(ended.code).toBe(3);
    expect(await listCampaignUsers(rig.target.db, 1, ALL)).toEqual(['b']);
    expect(await listCampaignUsers(rig.target.db, 2, ALL)).toEqual(['a']);
    expect(await listCampaigns(rig.target.db, { unsentOnly: false })).toHaveLength(2);
  });

  test('stays of credentials, which are taken where nobody saved one here', async () => {
    rig = await openImportRig('head');
    await insertApp('head');
    await rig.run();
    const version = async () =>
      (await rig.target.db.selectFrom('credentials').select('version').executeTakeFirstOrThrow())
        .version;
    const first = await version();

    await rig.run();
    const unchanged = await version();
    await rig.original.run(`UPDATE push_app_credentials SET apns_key_id = 'KEYID00000'`);
    const taken = await rig.run();
    const second = await version();
    await sql`UPDATE credentials SET version = nextval('credential_versions')`.execute(
      rig.target.db,
    );
    const here = await version();
    await rig.original.run(`UPDATE push_app_credentials SET apns_key_id = 'KEYID11111'`);
    const kept = await rig.run();

    expect(unchanged).toBe(first);
    expect(second).toBeGreaterThan(first);
    expect(countsOf(taken, 'credentials')).toEqual([1, 0, 1, 0, 0, 0, 0]);
    expect(countsOf(kept, 'credentials')).toEqual([1, 0, 0, 0, 1, 0, 0]);
    expect(kept.out).toContain('the apns credential here was saved here, and stays (7)');
    expect(await version()).toBe(here);
  });
});

describe('the inbox', () => {
  const toMessage = (id: number, changes: Readonly<Record<string, unknown>>) => ({
    id,
    inbox_id: randomUUID(),
    user_id: 'alice',
    message_type: 'TEXT',
    subject: `subject ${id}`,
    summary: 'a summary',
    body: 'a whole body',
    is_read: false,
    timestamp_created: '2024-01-01',
    ...changes,
  });
  const listFor = async (userId: string) =>
    listInboxMessages(rig.target.db, { userId, appRefs: [await appRef()], onlyUnread: false }, ALL);

  async function openWithInbox(): Promise<void> {
    rig = await openImportRig('head');
    await insertApp('head');
    await rig.original.insert(
      'push_inbox',
      toMessage(1, { timestamp_created: '2024-01-03' }),
      toMessage(2, { timestamp_created: '2024-01-01', message_type: 'html' }),
      toMessage(3, { user_id: 'bob' }),
      toMessage(4, {
        is_read: true,
        timestamp_read: '2024-02-01',
        timestamp_created: '2024-01-02',
      }),
    );
    await rig.original.run('INSERT INTO push_inbox_app SELECT 3, id FROM push_inbox');
  }

  test('is numbered per user in the order of creation', async () => {
    await openWithInbox();

    const ended = await rig.run();

    expect(ended.code).toBe(0);
    expect(await listFor('alice')).toMatchObject([
      {
        sequence: 3,
        subject: 'subject 1',
        createdAt: new Date('2024-01-03T00:00:00Z'),
        readAt: null,
      },
      { sequence: 2, subject: 'subject 4', readAt: new Date('2024-02-01T00:00:00Z') },
      { sequence: 1, subject: 'subject 2', type: 'html' },
    ]);
    expect(await listFor('bob')).toMatchObject([{ sequence: 1, subject: 'subject 3' }]);
  });

  test('goes on behind what is there, takes what was read, and does not bring back what was deleted', async () => {
    await openWithInbox();
    await rig.run();
    await sql`DELETE FROM inbox_messages WHERE subject = 'subject 3'`.execute(rig.target.db);
    await sql`UPDATE inbox_messages SET read_at = '2025-01-01Z' WHERE subject = 'subject 2'`.execute(
      rig.target.db,
    );

    await rig.original.run(`UPDATE push_inbox SET is_read = true, timestamp_read = '2024-03-01'`);
    await rig.original.insert('push_inbox', toMessage(9, { timestamp_created: '2024-04-01' }));
    await rig.original.run('INSERT INTO push_inbox_app VALUES (3, 9)');
    const ended = await rig.run();

    expect(countsOf(ended, 'inbox messages')).toEqual([5, 1, 1, 3, 0, 0, 0]);
    expect(await listFor('bob')).toEqual([]);
    expect(await listFor('alice')).toMatchObject([
      { sequence: 4, subject: 'subject 9' },
      { sequence: 3, readAt: new Date('2024-03-01T00:00:00Z') },
      { sequence: 2, readAt: new Date('2024-02-01T00:00:00Z') },
      { sequence: 1, readAt: new Date('2025-01-01T00:00:00Z') },
    ]);
  });

  test('is read in pages that end in the middle of a user', async () => {
    rig = await openImportRig('head');
    await insertApp('head');
    await rig.original.run(`
      INSERT INTO push_inbox SELECT n, gen_random_uuid(), 'user-' || n % 3, 'text', 'subject ' || n, 's', 'b', false,
        timestamp '2024-01-01' + (n % 7) * interval '1 day' FROM generate_series(1, 1500) n;
      INSERT INTO push_inbox_app SELECT 3, id FROM push_inbox`);

    const ended = await rig.run();

    expect(countsOf(ended, 'inbox messages')).toEqual([1500, 1500, 0, 0, 0, 0, 0]);
    const { rows } = await sql`
      SELECT user_id, max(sequence) AS last, bool_and(created_at >= previous) AS ordered FROM (
        SELECT *, lag(created_at, 1, created_at) OVER (PARTITION BY user_id ORDER BY sequence) AS previous FROM inbox_messages
      ) m GROUP BY 1 ORDER BY 1`.execute(rig.target.db);
    expect(rows).toEqual(
      ['user-0', 'user-1', 'user-2'].map((userId) => ({ userId, last: 500, ordered: true })),
    );
  });
});

describe('what cannot be taken', () => {
  test('is listed, with code 3: Huawei, strange platforms, missing tokens and apps', async () => {
    rig = await openImportRig('head');
    const app = await insertApp('head');
    await rig.original.run(
      `UPDATE push_app_credentials SET hms_client_id = 'client', fcm_project_id = 'p'`,
    );
    const device = { activation_id: null, app_id: app, platform: 'ios', push_token: 't' };
    await rig.original.insert(
      'push_device_registration',
      { ...device, id: 1, activation_id: 'a', platform: 'huawei' },
      { ...device, id: 2, activation_id: 'b', platform: 'HMS' },
      { ...device, id: 3, activation_id: 'c', platform: 'web' },
      { ...device, id: 4, activation_id: 'd', push_token: null },
      { ...device, id: 5, activation_id: 'e', app_id: 99 },
      { ...device, id: 6 },
      { ...device, id: 7, activation_id: 'f', environment: 'moon' },
      { ...device, id: 8, activation_id: 'g', environment: 'Development' },
    );
    await rig.original.insert('push_campaign_user', { id: 1, campaign_id: 4, user_id: 'a' });
    await rig.original.insert('push_message', { id: 1 }, { id: 2 });

    const ended = await rig.run();

    expect(ended.code).toBe(3);
    expect(await devices()).toMatchObject([{ activationId: 'g', environment: 'development' }]);
    expect(ended.out.split('\n').filter((line) => line.includes(' × '))).toEqual([
      '  1 × credentials: a credential of FCM that lacks its key or project (7)',
      '  1 × credentials: a credential of Huawei, for which there is no provider here (7)',
      '  2 × devices: a device of Huawei, for which there is no provider here (1, 2)',
      '  1 × devices: of a platform that is none: web (3)',
      '  1 × devices: without a push token (4)',
      '  1 × devices: its app is not there (5)',
      '  1 × devices: without an activation (6)',
      '  1 × devices: with an unknown environment (7)',
      '  1 × campaign users: of campaigns that are not there, or could not be taken (1)',
      '  1 × credentials: of APNs that name no environment: production here, whatever apns.useDevelopment of the original says (7)',
      '  2 × message history: stored messages stay behind',
    ]);
    expect(ended.out).toContain('Not everything could be taken.');
  });

  test('makes apps that only devices name, in the older shape', async () => {
    rig = await openImportRig('1.1');
    await insertDevices(rig.original, 12, 1);

    const ended = await rig.run();

    expect(ended.code).toBe(0);
    expect(await devices()).toMatchObject([{ appId: '12' }]);
    expect(ended.out).toContain('an app that has no credentials (12)');
  });

  test('gives a campaign another number where its own is taken here, and says which', async () => {
    rig = await openImportRig('1.1');
    await rig.target.db.insertInto('apps').values({ appId: '1', appName: null }).execute();
    const message = { title: 'ours' };
    const ours = await insertCampaign(rig.target.db, { appRef: await appRef('1'), message });
    await rig.original.insert('push_campaign', {
      id: ours,
      app_id: 1,
      message: '{"title":"theirs"}',
    });
    await rig.original.insert('push_campaign_user', { id: 1, campaign_id: ours, user_id: 'a' });

    const ended = await rig.run();

    expect(await listCampaigns(rig.target.db, { unsentOnly: false })).toMatchObject([
      { id: 1, message: { title: 'ours' } },
      { id: 2, message: { title: 'theirs' } },
    ]);
    expect(await listCampaignUsers(rig.target.db, 2, ALL)).toEqual(['a']);
    expect(ended.out).toContain('with another number, theirs was taken here (1 is 2)');
  });
});

describe('refuses', () => {
  const REFUSED: readonly [string, string][] = [
    ['no database of PowerAuth Push Server', 'DROP TABLE push_app_credentials'],
    ['lacks push_campaign.is_sent', 'ALTER TABLE push_campaign DROP COLUMN is_sent'],
    ['lacks push_campaign_user.id', 'DROP TABLE push_campaign_user'],
    [
      'neither the shape',
      'ALTER TABLE push_app_credentials ALTER app_id TYPE varchar(255), DROP COLUMN IF EXISTS apns_private_key',
    ],
    [
      'push_app_credentials has encrypted rows (encryption_mode)',
      `ALTER TABLE push_app_credentials ADD COLUMN encryption_mode varchar(255);
       UPDATE push_app_credentials SET encryption_mode = 'AES_HMAC'`,
    ],
    [
      'is of type text',
      "ALTER TABLE push_app_credentials ALTER ios_private_key TYPE text USING encode(ios_private_key, 'hex')",
    ],
  ];

  test.each(REFUSED)('a source that says: %s', async (mistake, change) => {
    await openWithDevices('1.1', 1);
    await rig.original.run(change);
    const before = await rig.snapshot();

    const ended = await rig.run();

    expect([ended.code, ended.out]).toEqual([1, '']);
    expect(ended.err).toContain(mistake);
    expect(await rig.snapshot()).toEqual(before);
  });

  test('takes a source whose encryption is off', async () => {
    await openWithDevices('head', 1);
    await rig.original.run(`
      ALTER TABLE push_app_credentials ADD COLUMN encryption_mode varchar(255) DEFAULT 'NO_ENCRYPTION'`);

    expect((await rig.run()).code).toBe(0);
  });

  test('another database under the same name, unless it was moved', async () => {
    await openWithDevices('1.1', 2);
    await rig.run();
    const other = await openOriginal('1.1', rig.target.url, 'other');
    await insertDevices(other, 7, 2);

    const refused = await rig.run(`--from=${other.url}`);
    const dry = await rig.run(`--from=${other.url}`, '--dry-run');
    const moved = await rig.run(`--from=${other.url}`, '--moved');
    await other.close();

    expect([refused.code, dry.code]).toEqual([1, 1]);
    expect(refused.err).toContain('read another database until now');
    expect(countsOf(moved, 'devices')).toEqual([2, 0, 0, 2, 0, 0, 0]);
  });

  test('to run beside another import', async () => {
    await openWithDevices('1.1', 1);

    const ended = await new Promise<Awaited<ReturnType<typeof rig.run>>>((resolve, reject) => {
      tryWithLock(rig.target.db, 'import', async () => resolve(await rig.run())).catch(reject);
    });

    expect([ended.code, ended.err]).toEqual([1, 'Another import runs on this database.\n']);
  });

  test('a database of the other mode, and one that is not migrated', async () => {
    await openWithDevices('1.1', 1);
    await rig.run();
    await sql`UPDATE installation SET mode = 'live'`.execute(rig.target.db);

    const mode = await rig.run();
    const dryMode = await rig.run('--dry-run');
    await sql`ALTER TABLE imports RENAME TO gone`.execute(rig.target.db);
    const old = await rig.run();

    expect([mode.code, dryMode.code, old.code]).toEqual([1, 1, 1]);
    expect(mode.err).toContain('set up with PROVIDERS=live');
    expect(old.err).toContain('not migrated to this version');
  });

  test.each([
    ['Give one of', ['--dry-run', '--from=postgres://a/b', '--forget']],
    ['begins with postgres://', ['--from=mysql://a/b']],
    ['begins with postgres://', ['--from-env=NOWHERE']],
    ['Unknown option', ['--from=postgres://a/b', '--bogus']],
    ['Say what to import', ['oracle', '--from=postgres://a/b']],
  ])('a call in the wrong way: %s', async (mistake, args) => {
    rig = await openImportRig('1.1');

    const ended = await rig.run(...args);

    expect([ended.code, ended.out]).toEqual([2, '']);
    expect(ended.err).toContain(mistake);
  });
});

/** Starts an import, and cuts its connection where its first page of devices is kept and its second is not yet. */
async function cutInItsSecondPage(db: Db, start: () => Promise<Ended>): Promise<Ended> {
  await sql`
    CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END'`.execute(db);
  await sql`
    CREATE TRIGGER gate BEFORE UPDATE ON imports FOR EACH ROW
    WHEN (OLD.step = 'devices' AND OLD.cursor IS NOT NULL) EXECUTE FUNCTION wait_at_the_gate()`.execute(
    db,
  );
  const ended = db.connection().execute(async (gate) => {
    await sql`SELECT pg_advisory_lock(7)`.execute(gate);
    const started = start();
    await eventually(async () => {
      const { rows } = await sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'`.execute(
        gate,
      );
      expect(rows.length).toBe(1);
    });
    const first = await started;
    await sql`SELECT pg_advisory_unlock(7)`.execute(gate);
    return first;
  });
  return ended.finally(() => sql`DROP TRIGGER gate ON imports`.execute(db));
}

test('ends with code 1 where a connection is lost, and goes on when it is called again', async () => {
  await openWithDevices('1.1', 20_000);

  const first = await cutInItsSecondPage(rig.target.db, () => rig.run());
  const second = await rig.run();

  expect([first.code, first.out]).toEqual([1, '']);
  expect(first.err).toContain('Called again, the import goes on where it is.');
  expect(second.code).toBe(0);
  expect(second.err).toContain('going on with run 1, in step "devices"');
  expect(countsOf(second, 'devices')).toEqual([20_000, 20_000, 0, 0, 0, 0, 0]);
});

test('forgets what it took, and leaves what it brought', async () => {
  await openWithDevices('1.1', 2);
  await rig.run();

  const forgotten = await rig.run('--forget');
  const again = await rig.run('--forget');

  expect([forgotten.code, again.code]).toEqual([0, 1]);
  expect(await devices()).toHaveLength(2);
  const { rows } = await sql`SELECT FROM imported_devices`.execute(rig.target.db);
  expect(rows).toEqual([]);
});
