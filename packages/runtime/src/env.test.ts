import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ConfigError, EnvReader } from './index.ts';

/** What is wrong with an environment of these variables, when it is read like this. */
function mistakesOf(
  env: NodeJS.ProcessEnv,
  read: (reader: EnvReader) => unknown,
): readonly string[] {
  const reader = new EnvReader(env);
  read(reader);
  try {
    reader.finish({});
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.mistakes : [String(error)];
  }
}

describe('EnvReader', () => {
  test('reads each kind of value', () => {
    const read = new EnvReader({
      NAME: 'a',
      PORT: '80',
      URL: 'redis://h/1',
      FLAG: 'true',
      MODE: 'live',
    });

    const config = read.finish({
      name: read.str('NAME'),
      port: read.int('PORT'),
      url: read.url('URL'),
      flag: read.bool('FLAG'),
      mode: read.oneOf('MODE', ['sandbox', 'live']),
    });

    expect(config).toEqual({ name: 'a', port: 80, url: 'redis://h/1', flag: true, mode: 'live' });
  });

  test('takes the fallback for what is not set or empty', () => {
    const read = new EnvReader({ PORT: '', FLAG: '' });

    const config = read.finish({
      port: read.int('PORT', 8080),
      flag: read.bool('FLAG', true),
      mode: read.oneOf('MODE', ['sandbox', 'live'], 'live'),
      name: read.optional('NAME'),
      url: read.optionalUrl('URL'),
      file: read.optionalFile('FILE'),
    });

    expect(config).toEqual({ port: 8080, flag: true, mode: 'live' });
  });

  test.each<[string, NodeJS.ProcessEnv, (read: EnvReader) => unknown, string]>([
    ['a missing text', {}, (read) => read.str('A'), 'A is not set'],
    ['a missing number, once', {}, (read) => read.int('A', undefined, { min: 1 }), 'A is not set'],
    ['a missing choice', {}, (read) => read.oneOf('A', ['x', 'y']), 'A is not set'],
    ['a word for a number', { A: 'ten' }, (read) => read.int('A'), 'A=ten is not a whole number'],
    ['a broken number', { A: '1.5' }, (read) => read.int('A'), 'A=1.5 is not a whole number'],
    ['too small a number', { A: '0' }, (read) => read.int('A', 1, { min: 1 }), 'A=0 is below 1'],
    ['too large a number', { A: '9' }, (read) => read.int('A', 1, { max: 5 }), 'A=9 is above 5'],
    ['yes for true', { A: 'yes' }, (read) => read.bool('A'), 'A=yes is none of true, false'],
    ['an unknown choice', { A: 'z' }, (read) => read.oneOf('A', ['x', 'y']), 'A=z is none of x, y'],
  ])('refuses %s', (_, env, read, mistake) => {
    const mistakes = mistakesOf(env, read);

    expect(mistakes).toEqual([mistake]);
  });

  test('never repeats a URL that it refuses', () => {
    const mistakes = mistakesOf({ DATABASE_URL: '//user:secret@host' }, (read) =>
      read.url('DATABASE_URL'),
    );

    expect(mistakes).toEqual(['DATABASE_URL is not a URL']);
  });

  test('reports every mistake at once', () => {
    const mistakes = mistakesOf({ PORT: 'x', FILE: '/nowhere' }, (read) => {
      read.str('NAME');
      read.int('PORT');
      read.file('FILE');
      read.refuse('NAME and PORT go together');
    });

    expect(mistakes).toEqual([
      'NAME is not set',
      'PORT=x is not a whole number',
      expect.stringMatching(/^FILE cannot be read: .*ENOENT/),
      'NAME and PORT go together',
    ]);
  });

  test('reads the file that a variable names', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'env-'));
    writeFileSync(path.join(folder, 'key'), 'secret');

    const read = new EnvReader({ KEY_FILE: path.join(folder, 'key') });

    expect(read.finish(read.file('KEY_FILE')).toString()).toBe('secret');
    rmSync(folder, { recursive: true });
  });
});
