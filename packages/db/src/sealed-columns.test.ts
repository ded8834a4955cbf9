import { useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { toCallbackSecretPlace } from './callback-endpoints.ts';
import { toKeyPlace } from './credentials.ts';
import { toDeveloperSecretPlace } from './developer-keys.ts';
import { toBasicPlace } from './liveperson-senders.ts';
import { SEALED_COLUMNS, toPlace } from './sealed-columns.ts';

const database = useTestDatabase();

/** Every other column of bytes, so that a new one is thought about: hashes and sets of numbers, nothing that anybody could use. */
const UNSEALED = [
  'api_keys.secret_hash',
  'campaign_chunks.outcomes',
  'campaign_chunks.token_hashes',
  'campaign_moved_tokens.push_token_hash',
  'certificate_warnings.fingerprint',
  'device_refusals.push_token_hash',
  'devices.push_token_hash',
  'idempotency_keys.body_hash',
  'imported_campaigns.fingerprint',
  'imported_credentials.fingerprint',
  'imported_devices.fingerprint',
  'liveperson_certificates.fingerprint',
  'liveperson_pushes.key',
  'messages.push_token_hash',
  'shared_tokens.push_token_hash',
  'token_faults.push_token_hash',
  'token_releases.push_token_hash',
];

describe('sealed columns', () => {
  test('are all columns of bytes that are not known to be harmless, and their names say so', async () => {
    const { rows } = await sql<{ name: string }>`
      SELECT c.table_name || '.' || c.column_name AS name
      FROM information_schema.columns c JOIN pg_class t ON t.relname = c.table_name AND NOT t.relispartition
      WHERE c.table_schema = 'public' AND c.data_type = 'bytea' ORDER BY 1`.execute(database.db);
    const names = rows.map(({ name }) => name);

    const sealed = names.filter((name) => !UNSEALED.includes(name));

    expect(sealed).toEqual(SEALED_COLUMNS.map(({ name }) => name).toSorted());
    expect(sealed.filter((name) => !/\.sealed_/.test(name))).toEqual([]);
    expect(UNSEALED.filter((name) => !names.includes(name))).toEqual([]);
  });

  test('have one row for each value of their key', async () => {
    const { rows } = await sql<{ name: string; keys: string[] }>`
      SELECT t.relname AS name, array_agg(DISTINCT (
        SELECT string_agg(a.attname, ' ' ORDER BY a.attname) FROM pg_attribute a
        WHERE a.attrelid = t.oid AND a.attnum = ANY (i.indkey))) AS keys
      FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid WHERE i.indisunique AND i.indpred IS NULL
      GROUP BY 1`.execute(database.db);
    const unique = new Map(rows.map(({ name, keys }) => [name, keys]));

    for (const { name, key } of SEALED_COLUMNS) {
      const [table = ''] = name.split('.');
      const columns = key.map((one) =>
        one.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      );
      expect(unique.get(table)).toContain(columns.toSorted().join(' '));
    }
  });

  test.each([
    ['credentials.sealed_key', ['7', 'apns'], toKeyPlace(7, 'apns')],
    ['standby_credentials.sealed_key', ['7', 'fcm'], toKeyPlace(7, 'fcm')],
    ['developer_secrets.sealed_secret', ['id'], toDeveloperSecretPlace('id')],
    ['callback_secrets.sealed_secret', ['id'], toCallbackSecretPlace('id')],
    ['liveperson_senders.sealed_basic', ['7', 'a/b'], toBasicPlace({ appRef: 7, brandId: 'a/b' })],
  ])('%s is opened where it was sealed', (name, key, place) => {
    const column = SEALED_COLUMNS.find((one) => one.name === name);

    expect(column && toPlace(column, key)).toEqual(place);
  });
});
