import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { inCheckout } from './checkout.ts';

const BLOCK = /^<!-- scale: ([a-z]+) -->\n([^]*?)\n<!-- \/scale -->$/gm;

const page = readFileSync(inCheckout('docs/scale.md'), 'utf8');

/** The blocks as the script works them out now, by name. */
function runScript(): ReadonlyMap<string, string> {
  const printed = execFileSync(process.execPath, [inCheckout('infra/local/scale.mjs')], {
    encoding: 'utf8',
  });
  const parts = printed.split(/^<!-- scale: ([a-z]+) -->$/m).slice(1);
  return new Map(
    Array.from({ length: parts.length / 2 }, (_, n) => [
      parts[2 * n] ?? '',
      parts[2 * n + 1]?.trim() ?? '',
    ]),
  );
}

describe('docs/scale.md', () => {
  test('says what its script works out of the figures', () => {
    const written = new Map(
      Array.from(page.matchAll(BLOCK), ([, name = '', text = '']) => [name, text.trim()]),
    );

    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(runScript()));
  });

  test('has no number that somebody typed', () => {
    const prose = page
      .replaceAll(BLOCK, '')
      .replaceAll(/`[^`]*`/g, '')
      .replaceAll(/\]\([^)]*\)/g, ']');

    expect(prose.split('\n').filter((line) => /\d/.test(line))).toEqual([]);
  });
});
