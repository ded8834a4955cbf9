import fc from 'fast-check';
import Papa from 'papaparse';

import { CsvError, readCsv, type CsvRow } from './read-csv.ts';

/** Longer than what the delimiter is guessed by. */
const HEAD = Array.from({ length: 2000 }, (_, n) => [`user-${n}`, 'name', 'city']);

async function read(text: string | Uint8Array, pieceBytes = Infinity): Promise<readonly CsvRow[]> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  let rows: CsvRow[] = [];
  for await (const some of readCsv(toStream(bytes, pieceBytes))) rows = rows.concat(some);
  return rows;
}

function toStream(bytes: Uint8Array, pieceBytes: number, onCancel?: () => void) {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + pieceBytes));
      at += pieceBytes;
    },
    ...(onCancel === undefined ? {} : { cancel: onCancel }),
  });
}

async function faultOf(reading: Promise<unknown>): Promise<unknown> {
  const error = await reading.catch((reason: unknown) => reason);
  return error instanceof CsvError ? error.fault : error;
}

describe('readCsv', () => {
  test.each([
    ['nothing', '', []],
    ['one cell', 'alice', [['alice']]],
    [
      'a comma',
      'a,b\nc,d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a semicolon',
      'a;b\nc,d;e\n',
      [
        ['a', 'b'],
        ['c,d', 'e'],
      ],
    ],
    [
      'a tab',
      'a\tb\nc;d\te',
      [
        ['a', 'b'],
        ['c;d', 'e'],
      ],
    ],
    ['the delimiter that the first line has most of', 'a;b;c,d\n', [['a', 'b', 'c,d']]],
    ['a delimiter in quotes, which is none', '"a;;;b",c\n', [['a;;;b', 'c']]],
    [
      'a BOM',
      '\uFEFFuser,name\nü,x',
      [
        ['user', 'name'],
        ['ü', 'x'],
      ],
    ],
    ['a BOM before a quote', '\uFEFF"user","name"', [['user', 'name']]],
    [
      'line ends of Windows',
      'a,b\r\nc,d\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'carriage returns alone',
      'a,b\rc,d\r',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'line ends in quotes',
      '"a\r\nb",c\r\nd,e',
      [
        ['a\nb', 'c'],
        ['d', 'e'],
      ],
    ],
    ['quotes in quotes', '"a ""b""",""""\n', [['a "b"', '"']]],
    ['a quote inside of a cell', 'a"b,c\nd', [['a"b', 'c'], ['d']]],
    ['spaces behind a quote', '"a" ,c', [['a', 'c']]],
    [
      'an inch in the first line, which is no quote',
      '5" disc;b\nc;d,e,f\n"g";h',
      [
        ['5" disc', 'b'],
        ['c', 'd,e,f'],
        ['g', 'h'],
      ],
    ],
    [
      'a semicolon behind blank lines',
      '\n\r\na;b\nc,d;e',
      [
        ['a', 'b'],
        ['c,d', 'e'],
      ],
    ],
    [
      'empty cells',
      ',a,\n"",b,""',
      [
        ['', 'a', ''],
        ['', 'b', ''],
      ],
    ],
    [
      'blank lines',
      '\n\r\na,b\n\n\nc,d\n\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['lines of several lengths', 'a,b\nc\nd,e,f', [['a', 'b'], ['c'], ['d', 'e', 'f']]],
    ['letters of several bytes', 'jürgen,日本,😀\n', [['jürgen', '日本', '😀']]],
  ])('reads %s, wherever the bytes are split', async (_, text, rows) => {
    for (const pieceBytes of [Infinity, 1, 2, 3, 5]) {
      expect(await read(text, pieceBytes)).toEqual(rows);
    }
  });

  test.each([',', ';', '\t'])(
    'reads what was written by %j, wherever the bytes are split',
    async (by) => {
      const cell = fc.string({
        unit: fc.constantFrom('a', 'ü', '😀', '"', '\n', '\r\n', ',', ';', ' '),
      });
      const lines = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 40 });

      await fc.assert(
        fc.asyncProperty(lines, fc.integer({ min: 7, max: 4000 }), async (some, pieceBytes) => {
          const rows = [...HEAD, ...some, ...HEAD];
          const text = Papa.unparse(rows, { delimiter: by, quotes: true });

          expect(await read(text, pieceBytes)).toEqual(
            rows.map((row) => row.map((one) => one.replaceAll('\r\n', '\n'))),
          );
        }),
        { numRuns: 20 },
      );
    },
  );

  test('gives lines before the file is at its end, and leaves it where nobody wants more', async () => {
    let isLeft = false;
    const bytes = new TextEncoder().encode('a,b\n'.repeat(100_000));
    let lines = 0;

    for await (const rows of readCsv(toStream(bytes, 1 << 16, () => (isLeft = true)))) {
      lines += rows.length;
      break;
    }

    expect(lines).toBe(1 << 14);
    expect(isLeft).toBe(true);
  });

  test('reads a file that comes in one piece, longer than any line may be', async () => {
    const bytes = new TextEncoder().encode('user-12345,b\n'.repeat(200_000));
    const told: number[] = [];
    let lines = 0;

    for await (const rows of readCsv(toStream(bytes, Infinity), (at) => told.push(at)))
      lines += rows.length;

    expect(lines).toBe(200_000);
    expect(told.length).toBeGreaterThan(10);
    expect(told.at(-1)).toBe(bytes.byteLength);
  });

  test.each([
    ['a quote that is not closed', 'a,"b\nc,d\n', 'endless'],
    ['a quote that is not closed in the first line', '"a,b\nc,d\n', 'endless'],
    ['text behind a quote', 'a,b\n"c"d,e\nf,g\n', 'endless'],
    ['a line that is far too long', `a,b\n${'x'.repeat(2 ** 20 + 1)}`, 'endless'],
    ['a first line that is far too long', 'x'.repeat(2 ** 20 + 1), 'endless'],
    ['Latin-1', Uint8Array.of(0x6a, 0xfc, 0x72, 0x67, 0x0a), 'encoding'],
    ['a letter that is cut off', Uint8Array.of(0x61, 0x0a, 0xc3), 'encoding'],
  ])('refuses %s', async (_, content, fault) => {
    expect(await faultOf(read(content))).toBe(fault);
  });
});
