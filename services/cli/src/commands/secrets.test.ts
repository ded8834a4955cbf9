import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';

import { createSecretBox, readKeyId, toKeyId, type SecretBox } from '@heliograph/core';
import {
  insertCallbackEndpoint,
  insertCallbackSecret,
  insertDeveloperKey,
  listAudit,
  listKeyUse,
  removeProxy,
  rotateDeveloperSecret,
  saveCredential,
  saveProxy,
  saveSender,
  SEALED_COLUMNS,
  toBasicPlace,
  toDeveloperSecretPlace,
  toKeyPlace,
  toPlace,
} from '@heliograph/db';
import { eventually, makeApp, openTestDatabase, type TestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { runCli } from '../cli.ts';

const ROOT = path.join(__dirname, '../../../..');
const [OLD, NEXT] = [randomBytes(32), randomBytes(32)];
const oldBox = createSecretBox(OLD);
const nextBox = createSecretBox(NEXT);

let database: TestDatabase;
beforeEach(async () => {
  database = await openTestDatabase();
});
afterEach(() => database.close());

const keyOf = (key: Buffer) => key.toString('base64');
const rotating = () => ({
  DATABASE_URL: database.url,
  SECRETS_KEY: keyOf(NEXT),
  SECRETS_OTHER_KEYS: keyOf(OLD),
});

async function run(verb: string, env: Readonly<Record<string, string>> = rotating()) {
  let [out, err] = ['', ''];
  const code = await runCli(['secrets', verb], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    errIsTerminal: false,
    env,
    readFile() {
      throw new Error('nothing is read');
    },
    now: () => new Date(),
  });
  return { code, out, err };
}

function saveKey(box: SecretBox, appRef: number, text = 'key') {
  return saveCredential(database.db, {
    appRef,
    provider: 'fcm',
    settings: { projectId: 'p' },
    environment: null,
    sealedKey: box.seal(Buffer.from(text), toKeyPlace(appRef, 'fcm')),
  });
}

function saveProxyOf(box: SecretBox, appRef: number) {
  return saveProxy(database.db, {
    appRef,
    provider: 'fcm',
    settings: { url: 'https://p.test/', schema: 'current', goneOn: [410], retry: 'documented' },
    sealedKey: box.seal(Buffer.from('proxy'), toKeyPlace(appRef, 'fcm')),
  });
}

/** Something in every column. Answers the app. */
async function saveEverything(box: SecretBox): Promise<number> {
  const { db } = database;
  const appRef = await makeApp(db, []);
  await saveKey(box, appRef);
  await saveProxyOf(box, appRef);
  const [developerKey, secretId, nextId] = [randomUUID(), randomUUID(), randomUUID()];
  const toSecret = (id: string) => ({
    id,
    sealedSecret: box.seal(Buffer.from(`secret ${id}`), toDeveloperSecretPlace(id)),
  });
  await insertDeveloperKey(
    db,
    { developerKey, appRef, name: 'n', carriers: ['sms'] },
    toSecret(secretId),
  );
  await rotateDeveloperSecret(db, developerKey, toSecret(nextId), 60);
  const endpoint = { appRef, developerKeyRef: 0, url: 'https://r.test/', target: 'r.test' };
  const id = await insertCallbackEndpoint(db, { ...endpoint, callbackKey: 'k', types: null }, 9);
  for (const afterSeconds of [0, 60])
    await insertCallbackSecret(db, id ?? 0, afterSeconds, (place) =>
      box.seal(Buffer.from('callback'), place),
    );
  const sender = { appRef, brandId: 'brand/1' };
  const sealedDigest = box.seal(Buffer.from('digest'), toBasicPlace(sender));
  await saveSender(db, { ...sender, basic: { username: 'u', sealedDigest } });
  await saveSender(db, { appRef, brandId: 'without' });
  const checkId = randomUUID();
  await db
    .insertInto('credentialChecks')
    .values({
      id: checkId,
      provider: 'fcm',
      environment: null,
      settings: '{}',
      sealedKey: box.seal(Buffer.from('candidate'), {
        table: 'credential_checks',
        column: 'sealed_key',
        row: checkId,
      }),
      expiresAt: new Date(Date.now() + 60_000),
    })
    .execute();
  return appRef;
}

/** Every secret there is, opened, by its place. */
async function openAll(box: SecretBox): Promise<ReadonlyMap<string, string>> {
  const opened = new Map<string, string>();
  for (const column of SEALED_COLUMNS) {
    const texts = column.key.map((name) => sql`${sql.ref(name)}::text`);
    const { rows } = await sql<{ key: string[]; sealed: Buffer }>`
      SELECT ARRAY[${sql.join(texts)}] AS key, ${sql.ref(column.column)} AS sealed FROM ${sql.table(column.table)}
      WHERE ${sql.ref(column.column)} IS NOT NULL`.execute(database.db);
    for (const { key, sealed } of rows)
      opened.set(
        `${column.name} ${key.join('/')}`,
        box.open(sealed, toPlace(column, key)).toString(),
      );
  }
  return opened;
}

/** Everything but the sealed bytes. */
async function readRest() {
  const rest = new Map<string, unknown>();
  for (const { table, place } of SEALED_COLUMNS) {
    const { rows } = await sql`
      SELECT to_jsonb(t) - ${place.column}::text AS row FROM ${sql.table(table)} t ORDER BY 1`.execute(
      database.db,
    );
    rest.set(table, rows);
  }
  return rest;
}

async function usedKeys() {
  return [...new Set((await listKeyUse(database.db)).map(({ keyId }) => keyId))];
}

describe('heliograph secrets rotate', () => {
  test('seals every secret of every table anew, and changes nothing else', async () => {
    await saveEverything(oldBox);
    const [secrets, rest] = [await openAll(oldBox), await readRest()];

    const { code, out } = await run('rotate');

    expect(out.split('\n').toSorted()).toEqual(
      [
        '',
        'callback_secrets.sealed_secret: 2 sealed anew, 0 were already, 0 not opened',
        'credential_checks.sealed_key: 1 sealed anew, 0 were already, 0 not opened',
        'credentials.sealed_key: 1 sealed anew, 0 were already, 0 not opened',
        'developer_secrets.sealed_secret: 2 sealed anew, 0 were already, 0 not opened',
        'liveperson_senders.sealed_basic: 1 sealed anew, 0 were already, 0 not opened',
        'standby_credentials.sealed_key: 1 sealed anew, 0 were already, 0 not opened',
      ].toSorted(),
    );
    expect(code).toBe(0);
    expect(new Set(SEALED_COLUMNS.map(({ name }) => name))).toEqual(
      new Set([...secrets.keys()].map((place) => place.split(' ')[0])),
    );
    expect(await openAll(nextBox)).toEqual(secrets);
    expect(await readRest()).toEqual(rest);
    expect(await usedKeys()).toEqual([nextBox.sealingKeyId]);
  });

  test('called once more finds them sealed, and writes none of them', async () => {
    await saveEverything(oldBox);
    await run('rotate');
    const before = await sql`SELECT xmin::text, sealed_key FROM credentials`.execute(database.db);

    const { code, out } = await run('rotate');

    expect(code).toBe(0);
    expect(out).toContain('developer_secrets.sealed_secret: 0 sealed anew, 2 were already');
    const after = await sql`SELECT xmin::text, sealed_key FROM credentials`.execute(database.db);
    expect(after.rows).toEqual(before.rows);
  });

  test('goes through more rows than a batch has', async () => {
    for (let n = 0; n < 250; n += 1) await saveKey(oldBox, await makeApp(database.db, []));

    const { code, out } = await run('rotate');

    expect(out).toMatch(/^credentials\.sealed_key: 250 sealed anew, 0 were already/m);
    expect(code).toBe(0);
    expect(await usedKeys()).toEqual([nextBox.sealingKeyId]);
  });

  test('says what it could not open and why, and seals the others', async () => {
    const stranger = randomBytes(32);
    const [lost, copied, good] = [
      await makeApp(database.db, []),
      await makeApp(database.db, []),
      await makeApp(database.db, []),
    ];
    await saveKey(createSecretBox(stranger), lost);
    await saveKey(oldBox, copied);
    await sql`UPDATE credentials SET sealed_key = ${oldBox.seal(Buffer.from('k'), toKeyPlace(lost, 'fcm'))}
      WHERE app_ref = ${copied}`.execute(database.db);
    await saveKey(oldBox, good);
    const garbage = await makeApp(database.db, ['fcm']);

    const { code, out } = await run('rotate');

    expect(code).toBe(3);
    expect(out).toContain(
      [
        'credentials.sealed_key: 1 sealed anew, 0 were already, 3 not opened',
        `  ${lost}/fcm: sealed with key ${toKeyId(stranger)}, which is not at hand`,
        `  ${copied}/fcm: changed, or copied from another row: no key opens it`,
        `  ${garbage}/fcm: no sealed secret`,
      ].join('\n'),
    );
    expect((await listAudit(database.db, ALL_ENTRIES))[0]?.outcome).toBe('incomplete');
  });

  test('is an act in the audit log', async () => {
    await saveEverything(oldBox);

    await run('rotate');

    expect(await listAudit(database.db, ALL_ENTRIES)).toMatchObject([
      {
        actor: 'command line',
        action: 'admin.secrets.rotate',
        outcome: 'ok',
        objects: { sealingKeyId: nextBox.sealingKeyId, resealed: 8, unopened: 0 },
      },
    ]);
  });

  test.each([
    ['the new key', nextBox],
    ['the old key, which is then found', oldBox],
  ])('gives way to a save at the same time, with %s', async (_, box) => {
    const appRef = await makeApp(database.db, []);
    await saveKey(oldBox, appRef, 'before');
    const sealedKey = box.seal(Buffer.from('saved meanwhile'), toKeyPlace(appRef, 'fcm'));

    const rotated = await database.db.transaction().execute(async (tx) => {
      await tx.updateTable('credentials').set({ sealedKey }).where('appRef', '=', appRef).execute();
      const underWay = run('rotate');
      await someoneWaits();
      return { underWay };
    });
    const { code } = await rotated.underWay;

    expect(code).toBe(0);
    const opened = await openAll(nextBox);
    expect(opened.get(`credentials.sealed_key ${appRef}/fcm`)).toBe('saved meanwhile');
  });

  test('finds a credential that moves behind its back while it is at it', async () => {
    // It waits at the first app's row, and knows the second's as one in use.
    const [first, second] = [await makeApp(database.db, []), await makeApp(database.db, [])];
    await saveKey(oldBox, first);
    await saveKey(oldBox, second, 'moves');
    await saveProxyOf(oldBox, second);

    const rotated = await database.db.transaction().execute(async (tx) => {
      await tx
        .updateTable('credentials')
        .set({ environment: null })
        .where('appRef', '=', first)
        .execute();
      const underWay = run('rotate');
      await someoneWaits();
      await removeProxy(database.db, second, 'fcm');
      return { underWay };
    });

    expect((await rotated.underWay).code).toBe(0);
    expect(await usedKeys()).toEqual([nextBox.sealingKeyId]);
    expect((await openAll(nextBox)).get(`credentials.sealed_key ${second}/fcm`)).toBe('moves');
  });

  test('fails where a process goes on sealing with an old key', async () => {
    const appRef = await makeApp(database.db, []);
    await saveKey(oldBox, appRef);
    await sql`
      CREATE FUNCTION seal_old() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.sealed_key = OLD.sealed_key; RETURN NEW; END $$`.execute(database.db);
    await sql`CREATE TRIGGER seal_old BEFORE UPDATE ON credentials FOR EACH ROW EXECUTE FUNCTION seal_old()`.execute(
      database.db,
    );

    const { code, err } = await run('rotate');

    expect(code).toBe(1);
    expect(err).toContain('1 secrets were sealed with an old key meanwhile');
  });

  test('runs once at a time', async () => {
    const appRef = await makeApp(database.db, []);
    await saveKey(oldBox, appRef);

    const { one, other } = await database.db.transaction().execute(async (tx) => {
      await tx
        .updateTable('credentials')
        .set({ environment: null })
        .where('appRef', '=', appRef)
        .execute();
      const underWay = run('rotate');
      await someoneWaits();
      return { one: { underWay }, other: await run('rotate') };
    });

    expect(other).toMatchObject({ code: 1, err: 'Another rotate runs on this database.\n' });
    expect((await one.underWay).code).toBe(0);
  });

  test('killed in the middle, goes on where it is', async () => {
    const apps: number[] = [];
    for (let n = 0; n < 3; n += 1) apps.push(await makeApp(database.db, []));
    for (const appRef of apps) await saveKey(oldBox, appRef, `key of ${appRef}`);

    await database.db.transaction().execute(async (tx) => {
      await tx
        .updateTable('credentials')
        .set({ environment: null })
        .where('appRef', '=', apps[1] ?? 0)
        .execute();
      const child = start();
      await someoneWaits();
      child.kill('SIGKILL');
      await once(child, 'close');
    });
    const sealed = await database.db
      .selectFrom('credentials')
      .select('sealedKey')
      .orderBy('appRef')
      .execute();
    const [first, , last] = sealed.map(({ sealedKey }) => readKeyId(sealedKey));
    const { code, out } = await eventually(async () => {
      const ended = await run('rotate');
      // The server may not know yet that the first one is dead.
      expect(ended.err).not.toContain('Another rotate runs');
      return ended;
    });

    // The server may yet have done for the dead process what it was waiting for.
    expect([first, last]).toEqual([toKeyId(NEXT), toKeyId(OLD)]);
    expect(code).toBe(0);
    expect(out).toMatch(/^credentials\.sealed_key: [12] sealed anew, [12] were already, 0 not/m);
    expect([...(await openAll(nextBox)).values()].toSorted()).toEqual(
      apps.map((appRef) => `key of ${appRef}`).toSorted(),
    );
  });
});

describe('heliograph secrets status', () => {
  test('says which keys are in use where, and which are at hand', async () => {
    await saveKey(oldBox, await makeApp(database.db, []));
    await saveKey(nextBox, await makeApp(database.db, []));
    const third = randomBytes(32);

    const known = await run('status', {
      ...rotating(),
      SECRETS_OTHER_KEYS: `${keyOf(OLD)},${keyOf(third)}`,
    });
    const missing = await run('status', { DATABASE_URL: database.url, SECRETS_KEY: keyOf(NEXT) });

    const lines = (oldWords: string) =>
      [
        `credentials.sealed_key: 1 with key ${toKeyId(OLD)}${oldWords}`,
        `credentials.sealed_key: 1 with key ${toKeyId(NEXT)}`,
      ].toSorted();
    const [seals, opens, also, ...use] = known.out.trimEnd().split('\n');
    expect([seals, opens, also]).toEqual([
      `key ${toKeyId(NEXT)} seals`,
      `key ${toKeyId(OLD)} opens`,
      `key ${toKeyId(third)} opens`,
    ]);
    expect(use.toSorted()).toEqual(lines(''));
    expect(known.code).toBe(0);
    expect(missing.out.trimEnd().split('\n').slice(1).toSorted()).toEqual(
      lines(', WHICH IS NOT AT HAND'),
    );
    expect(missing.code).toBe(3);
  });

  test('of an empty database is short', async () => {
    expect(await run('status')).toMatchObject({
      code: 0,
      out: expect.stringContaining('There are no secrets.'),
    });
  });
});

describe('heliograph secrets', () => {
  test('wants a verb that it knows', async () => {
    expect(await run('burn')).toMatchObject({ code: 2 });
  });

  test('says what is wrong with the environment', async () => {
    const { code, err } = await run('status', { SECRETS_KEY: 'c2hvcnQ=' });

    expect(code).toBe(1);
    expect(err).toContain('DATABASE_URL is not set');
    expect(err).toContain('5 bytes');
  });
});

const ALL_ENTRIES = { appRef: undefined, before: undefined, limit: 10 };

/** Until a statement of another connection waits for a row. */
async function someoneWaits(): Promise<void> {
  await eventually(async () => {
    const { rows } = await sql`
      SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(
      database.db,
    );
    expect(rows).not.toHaveLength(0);
  });
}

/** The command in a process of its own. */
function start(): ChildProcess {
  return spawn(
    process.execPath,
    [
      '--conditions=@heliograph/source',
      '--import',
      'tsx',
      path.join(ROOT, 'services/cli/src/main.ts'),
      'secrets',
      'rotate',
    ],
    { cwd: ROOT, env: { PATH: process.env['PATH'], ...rotating() }, stdio: 'ignore' },
  );
}
