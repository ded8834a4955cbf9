import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { APNS_TOKEN_FAULTS } from './apns/apns-token-faults.ts';
import { FCM_TOKEN_FAULTS } from './fcm/fcm-token-faults.ts';
import { PROXY_TOKEN_FAULTS } from './proxy/proxy-token-faults.ts';

const README = readFileSync(join(__dirname, '../README.md'), 'utf8');

/** The rows of a table between two marks, as cells. */
function tableOf(mark: string): string[][] {
  const [, table = ''] = new RegExp(`<!-- ${mark} -->([^]*)<!-- /${mark} -->`).exec(README) ?? [];
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('the README', () => {
  test('lists every APNs token that fails', () => {
    const rows = APNS_TOKEN_FAULTS.map(({ code, meaning }) => [`\`${code}\``, meaning]);

    expect(tableOf('apns')).toEqual(rows);
  });

  test('lists every FCM token that fails', () => {
    const rows = FCM_TOKEN_FAULTS.map(({ code, meaning }) => [`\`${code}\``, meaning]);

    expect(tableOf('fcm')).toEqual(rows);
  });

  test('lists every token that fails at a proxy', () => {
    const rows = PROXY_TOKEN_FAULTS.map(({ code, meaning }) => [`\`${code}\``, meaning]);

    expect(tableOf('proxy')).toEqual(rows);
  });
});
