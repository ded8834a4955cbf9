import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { eventually } from '@heliograph/testing';
import { sql } from 'kysely';

import { countsOf, openImportRig, type Ended, type ImportRig } from './import-rig.ts';
import { insertDevices } from './original.ts';

const ROOT = path.join(__dirname, '../../..');
const DEVICES = 200_000;
const INBOX = 20_000;
/** Rows of either kind are some times that as objects. */
const HEAP_MB = 64;

let rig: ImportRig;
beforeAll(async () => {
  rig = await openImportRig('head');
  await rig.original.insert('push_app_credentials', { id: 3, app_id: 'app' });
  await insertDevices(rig.original, 3, DEVICES);
  await rig.original.run(`
    INSERT INTO push_campaign (id, app_id, message) VALUES (1, 3, '{}');
    INSERT INTO push_campaign_user SELECT n, 1, 'user-' || n FROM generate_series(1, ${DEVICES}) n;
    INSERT INTO push_inbox SELECT n, gen_random_uuid(), 'user-' || n % 1000, 'text', 's', 's', repeat('long ', 400), false,
      timestamp '2024-01-01' + n * interval '1 second' FROM generate_series(1, ${INBOX}) n;
    INSERT INTO push_inbox_app SELECT 3, id FROM push_inbox`);
}, 120_000);
afterAll(() => rig.close());

/** The command in a process of its own, with a small heap. */
function start(): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${HEAP_MB}`,
      '--conditions=@heliograph/source',
      '--import',
      'tsx',
      path.join(ROOT, 'services/cli/src/main.ts'),
      'import',
      'powerauth',
      '--from-env=SOURCE',
    ],
    {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...rig.env, SOURCE: rig.original.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let [out, err] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: Number(code), out, err }));
  return { child, ended };
}

async function countRows(table: string): Promise<number> {
  const { rows } = await sql<{
    count: number;
  }>`SELECT count(*) AS count FROM ${sql.table(table)}`.execute(rig.target.db);
  return rows[0]?.count ?? 0;
}

/** Starts it, and ends it without a farewell once the table has that many rows, wherever it is then. */
async function killBehind(table: string, rows: number): Promise<void> {
  const { child, ended } = start();
  await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error((await ended).err);
      expect(await countRows(table)).toBeGreaterThan(rows);
    },
    { timeoutMs: 120_000 },
  );
  child.kill('SIGKILL');
  await ended;
  expect(child.signalCode).toBe('SIGKILL');
}

test('an import that is killed again and again goes on, loses nothing and counts right, in little memory', async () => {
  await killBehind('devices', 0);
  await killBehind('devices', 60_000);
  const { rows } = await sql`
    SELECT count(*) = (SELECT count(*) FROM devices) AS devices,
      max(source_id) = (SELECT cursor::bigint FROM imports) AS cursor FROM imported_devices`.execute(
    rig.target.db,
  );
  await killBehind('campaign_users', 20_000);
  await killBehind('inbox_messages', 1_000);
  const last = await start().ended;

  expect(rows).toEqual([{ devices: true, cursor: true }]);
  expect([last.code, last.err]).toEqual([
    0,
    expect.stringContaining('going on with run 1, in step "inbox"'),
  ]);
  expect(last.out).toContain('Import powerauth, run 1');
  expect(countsOf(last, 'devices')).toEqual([DEVICES, DEVICES, 0, 0, 0, 0, 0]);
  expect(countsOf(last, 'campaign users')).toEqual([DEVICES, DEVICES, 0, 0, 0, 0, 0]);
  expect(countsOf(last, 'inbox messages')).toEqual([INBOX, INBOX, 0, 0, 0, 0, 0]);
  const { rows: compared } = await sql`
    SELECT count(*) AS same FROM devices d JOIN original.push_device_registration o USING (activation_id, user_id, push_token)
    WHERE d.activation_active = o.is_active AND d.last_registered_at = o.timestamp_last_registered AT TIME ZONE 'UTC'`.execute(
    rig.target.db,
  );
  expect(compared).toEqual([{ same: DEVICES }]);
  const { rows: inbox } = await sql`
    SELECT min(last_sequence) AS least, max(last_sequence) AS most, count(*) AS users FROM inbox_users`.execute(
    rig.target.db,
  );
  expect(inbox).toEqual([{ least: 20, most: 20, users: 1000 }]);
}, 400_000);
