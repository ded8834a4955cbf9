import { readFileSync } from 'node:fs';
import path from 'node:path';

import { Refusal, REFUSALS, type RefusalCode } from '@heliograph/core';

import { renderLivePersonError } from './liveperson/errors.ts';
import { M800_ERRORS, M800Refusal, renderM800Error, type M800Error } from './m800/errors.ts';
import { renderRefusal } from './powerauth/envelope.ts';

const page = readFileSync(path.join(__dirname, '../../../../docs/errors.md'), 'utf8');
const rows = Array.from(page.matchAll(/^\| `([a-z_]+)` .*$/gm), ([line, name = '']) => {
  const [, , status, powerAuth, m800, livePerson, means, again] = line
    .split('|')
    .map((cell) => cell.trim());
  return { name, status, powerAuth, m800, livePerson, means, again };
});

const NOT_SAID = '–';

describe('docs/errors.md', () => {
  test('has a row for each refusal, in the order of the statuses, and for nothing else', () => {
    const names = rows.map(({ name }) => name);

    expect(names.toSorted()).toEqual(Object.keys(REFUSALS).toSorted());
    expect(rows.map(({ status }) => Number(status))).toEqual(
      Object.values(REFUSALS).toSorted((a, b) => a - b),
    );
  });

  test.each(rows.map((row) => [row.name, row] as const))(
    'says of %s what each surface answers',
    (name, { status, powerAuth, m800, livePerson, means, again }) => {
      const refusal = new Refusal(name as RefusalCode, 'No.');

      expect(Number(status)).toBe(refusal.status);
      expect(toCodes(powerAuth)).toEqual(toPowerAuthCodes(refusal));
      if (m800 !== NOT_SAID) expect(toCodes(m800)).toEqual(toM800Codes(refusal));
      if (livePerson !== NOT_SAID)
        expect(Number(livePerson)).toBe(renderLivePersonError(refusal).status);
      expect(means).not.toBe('');
      expect(again).toMatch(/^(Yes|No)\b/);
    },
  );

  test('says of each number of M800 which refusal it is', () => {
    const numbers = rows.flatMap(({ m800 }) => toCodes(m800));

    expect(numbers).toEqual(
      expect.arrayContaining(Object.values(M800_ERRORS).map((number) => `${number}`)),
    );
  });

  test('lets nobody repeat what breaks a rule, and everybody what was our trouble', () => {
    const repeated = rows.filter(({ again }) => again?.startsWith('Yes'));

    expect(repeated.map(({ name }) => name)).toEqual([
      'upstream_failed',
      'rate_limited',
      ...rows.filter(({ status }) => Number(status) >= 500).map(({ name }) => name),
    ]);
  });
});

function toCodes(cell = ''): readonly string[] {
  return Array.from(cell.matchAll(/`([A-Z0-9_]+)`/g), ([, code = '']) => code);
}

/** A malformed request may be answered with all that is wrong about it. */
function toPowerAuthCodes(refusal: Refusal): readonly string[] {
  const violations = [{ fieldName: 'field', hint: 'is missing' }];
  const all =
    refusal.code === 'invalid_request'
      ? [refusal, new Refusal(refusal.code, 'No.', { violations })]
      : [refusal];
  return all.map(
    (one) => (renderRefusal(one) as { responseObject: { code: string } }).responseObject.code,
  );
}

function toM800Codes(refusal: Refusal): readonly string[] {
  const own = (Object.keys(M800_ERRORS) as M800Error[])
    .map((error) => new M800Refusal(error, 'No.'))
    .filter(({ code }) => code === refusal.code);
  // Who is not known is always told why.
  const all = refusal.code === 'unauthenticated' ? own : [refusal, ...own];
  return all.map((one) => `${(renderM800Error(one) as { error: { code: number } }).error.code}`);
}
