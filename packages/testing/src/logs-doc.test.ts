import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { inCheckout } from './checkout.ts';
import { findLogCalls, type LogCall } from './log-calls.ts';

interface Source {
  readonly process: 'api' | 'dispatcher' | 'both';
  readonly text: string;
  readonly calls: readonly LogCall[];
}

function sourcesOf(folder: string, process: Source['process']): Source[] {
  return readdirSync(inCheckout(folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(inCheckout(path.join(folder, file)), 'utf8'))
    .map((text) => ({ process, text, calls: findLogCalls(text) }));
}

/** Everything of ours that runs in the two processes. */
const SOURCES = [
  ...sourcesOf('services/api/src', 'api'),
  ...sourcesOf('services/dispatcher/src', 'dispatcher'),
  ...['core', 'db', 'http2', 'outbound', 'providers', 'queue', 'runtime'].flatMap((name) =>
    sourcesOf(`packages/${name}/src`, 'both'),
  ),
];
const CALLS = SOURCES.flatMap(({ calls }) => calls);
const LOUD = new Set(['warn', 'error', 'fatal']);

/** The cells of the rows of the table below a heading. */
function rowsOf(heading: string): string[][] {
  const text = readFileSync(inCheckout('docs/logs.md'), 'utf8');
  const section = text.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

const unquoted = (cell = '') => cell.replaceAll('`', '');

describe('the messages in docs/logs.md', () => {
  test('are those that the code has at warn and above, with their levels', () => {
    const documented = rowsOf('Messages').map(
      ([level, message]) => `${level} ${unquoted(message)}`,
    );
    const inCode = CALLS.filter(({ level }) => LOUD.has(level)).map(
      ({ level, message }) => `${level} ${message}`,
    );

    expect(inCode.length).toBeGreaterThan(50);
    expect(documented.toSorted()).toEqual([...new Set(inCode)].toSorted());
  });

  test('say what they mean and what is to be done', () => {
    for (const [, message, means = '', then = ''] of rowsOf('Messages'))
      expect([message, means !== '', then !== '']).toEqual([message, true, true]);
  });

  test('are constants', () => {
    expect(CALLS.filter(({ message }) => message === undefined)).toEqual([]);
  });
});

/** What pino writes, and what its serializer makes. */
const PINO = ['level', 'time', 'name', 'pid', 'hostname', 'msg'];

describe('the fields in docs/logs.md', () => {
  const rows = rowsOf('Fields').map(([field, process]) => ({ field: unquoted(field), process }));

  test('are all that the code writes out, each where it says', () => {
    const written = SOURCES.flatMap(({ process, calls }) =>
      calls.flatMap(({ fields }) => fields.map((field) => ({ field, process }))),
    );
    const missing = written.filter(
      (one) =>
        !rows.some(
          ({ field, process }) =>
            field === one.field &&
            (process === one.process || process === 'both' || one.process === 'both'),
        ),
    );

    expect(written.length).toBeGreaterThan(50);
    expect(missing).toEqual([]);
  });

  test('are no others than the code knows, nor twice there', () => {
    const names = rows.map(({ field }) => field);
    const unknown = names.filter(
      (name) =>
        !PINO.includes(name) &&
        !SOURCES.some(({ text }) => new RegExp(`\\b${name}\\b(?:[,:;?]|\\s*\\})`).test(text)),
    );

    expect(unknown).toEqual([]);
    expect(names).toEqual([...new Set(names)]);
  });

  test('hold no push token, payload or key', () => {
    const written = CALLS.flatMap(({ fields }) => fields);

    expect(
      written.filter((field) => /^(pushToken|token|body|payload|message|key|secret)$/.test(field)),
    ).toEqual([]);
  });
});

describe('the scanner', () => {
  test('finds messages, and the fields that are written out', () => {
    const source = `
      deps.log.warn({ err: error, ...scope, kind }, 'a, (b)');
      log.error(
        { path: f({ inner: 1 }, ')'), requestId },
        'second',
      );
      this.#log.info({ reason }, isRepeated ? 'hurried' : 'started');
      log.warn(\`\${words}\`);
      log.fatal('bare');`;

    expect(findLogCalls(source)).toEqual([
      { level: 'warn', message: 'a, (b)', fields: ['err', 'kind'] },
      { level: 'error', message: 'second', fields: ['path', 'requestId'] },
      { level: 'info', message: 'hurried', fields: ['reason'] },
      { level: 'info', message: 'started', fields: ['reason'] },
      { level: 'warn', message: undefined, fields: [] },
      { level: 'fatal', message: 'bare', fields: [] },
    ]);
  });
});
