import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Refusal, REFUSALS } from '@heliograph/core';

import { M800_ERRORS, M800Refusal, renderM800Error } from './errors.ts';

describe('docs/m800.md', () => {
  test('lists every code of an error, and no other', () => {
    const page = readFileSync(join(__dirname, '../../../../../docs/m800.md'), 'utf8');
    const documented = Array.from(page.matchAll(/^\| `(\d{5})`/gm), ([, code]) => Number(code));
    const plain = documented.filter((code) => code % 100 === 0).map((code) => code / 100);

    expect(documented.filter((code) => code % 100 !== 0)).toEqual(Object.values(M800_ERRORS));
    // Neither a conflict nor the limit of an API key is met here.
    const possible = new Set<number>(
      Object.values(REFUSALS).filter((status) => status !== 409 && status !== 429),
    );
    possible.delete(401);
    expect(plain).toEqual([...possible].toSorted((a, b) => a - b));
  });
});

describe('an error', () => {
  test('has the number of its kind, or that of its status', () => {
    const errors = [
      new M800Refusal('nonce_used', 'Used.'),
      new M800Refusal('unknown_receiver', 'Unknown.'),
      new Refusal('too_large', 'Large.'),
    ].map(renderM800Error);

    expect(errors).toEqual([
      { error: { status: 401, code: 40106, message: 'Used.' } },
      { error: { status: 404, code: 40401, message: 'Unknown.' } },
      { error: { status: 413, code: 41300, message: 'Large.' } },
    ]);
  });
});
