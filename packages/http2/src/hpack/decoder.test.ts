import type { HeaderField } from '../request.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackError } from './hpack-error.ts';
import { writeInteger } from './integer.ts';

const FIRST_DYNAMIC_INDEX = 62;
const DATE = 'Mon, 21 Oct 2013 20:13:21 GMT';
const LATER = 'Mon, 21 Oct 2013 20:13:22 GMT';
const COOKIE = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const SITE = 'https://www.example.com';

interface Example {
  readonly hex: string;
  readonly fields: readonly string[];
  /** The newest first. */
  readonly table: readonly string[];
  readonly tableBytes: number;
}

/** The same requests in C.3 and C.4, the same responses in C.5 and C.6. */
const REQUESTS: readonly Omit<Example, 'hex'>[] = [
  {
    fields: [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
    table: [':authority: www.example.com'],
    tableBytes: 57,
  },
  {
    fields: [
      ':method: GET',
      ':scheme: http',
      ':path: /',
      ':authority: www.example.com',
      'cache-control: no-cache',
    ],
    table: ['cache-control: no-cache', ':authority: www.example.com'],
    tableBytes: 110,
  },
  {
    fields: [
      ':method: GET',
      ':scheme: https',
      ':path: /index.html',
      ':authority: www.example.com',
      'custom-key: custom-value',
    ],
    table: ['custom-key: custom-value', 'cache-control: no-cache', ':authority: www.example.com'],
    tableBytes: 164,
  },
];
const RESPONSES: readonly Omit<Example, 'hex'>[] = [
  {
    fields: [':status: 302', 'cache-control: private', `date: ${DATE}`, `location: ${SITE}`],
    table: [`location: ${SITE}`, `date: ${DATE}`, 'cache-control: private', ':status: 302'],
    tableBytes: 222,
  },
  {
    fields: [':status: 307', 'cache-control: private', `date: ${DATE}`, `location: ${SITE}`],
    table: [':status: 307', `location: ${SITE}`, `date: ${DATE}`, 'cache-control: private'],
    tableBytes: 222,
  },
  {
    fields: [
      ':status: 200',
      'cache-control: private',
      `date: ${LATER}`,
      `location: ${SITE}`,
      'content-encoding: gzip',
      `set-cookie: ${COOKIE}`,
    ],
    table: [`set-cookie: ${COOKIE}`, 'content-encoding: gzip', `date: ${LATER}`],
    tableBytes: 215,
  },
];

const EXAMPLES: readonly { name: string; setUp: string; blocks: readonly Example[] }[] = [
  {
    name: 'C.2.1 (literal with indexing)',
    setUp: '',
    blocks: [
      {
        hex: '400a637573746f6d2d6b65790d637573746f6d2d686561646572',
        fields: ['custom-key: custom-header'],
        table: ['custom-key: custom-header'],
        tableBytes: 55,
      },
    ],
  },
  {
    name: 'C.2.2 (literal without indexing)',
    setUp: '',
    blocks: [
      {
        hex: '040c2f73616d706c652f70617468',
        fields: [':path: /sample/path'],
        table: [],
        tableBytes: 0,
      },
    ],
  },
  {
    name: 'C.2.3 (literal never indexed)',
    setUp: '',
    blocks: [
      {
        hex: '100870617373776f726406736563726574',
        fields: ['password: secret'],
        table: [],
        tableBytes: 0,
      },
    ],
  },
  {
    name: 'C.2.4 (indexed)',
    setUp: '',
    blocks: [{ hex: '82', fields: [':method: GET'], table: [], tableBytes: 0 }],
  },
  {
    name: 'C.3 (requests)',
    setUp: '',
    blocks: withHex(REQUESTS, [
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ]),
  },
  {
    name: 'C.4 (requests, Huffman-coded)',
    setUp: '',
    blocks: withHex(REQUESTS, [
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      '828684be5886a8eb10649cbf',
      '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
    ]),
  },
  {
    name: 'C.5 (responses with eviction)',
    setUp: '3fe101',
    blocks: withHex(RESPONSES, [
      '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54' +
        '6e1768747470733a2f2f7777772e6578616d706c652e636f6d',
      '4803333037c1c0bf',
      '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f' +
        '3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076' +
        '657273696f6e3d31',
    ]),
  },
  {
    name: 'C.6 (responses with eviction, Huffman-coded)',
    setUp: '3fe101',
    blocks: withHex(RESPONSES, [
      '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f' +
        '0b97c8e9ae82ae43d3',
      '4883640effc1c0bf',
      '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335df' +
        'dfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    ]),
  },
];

describe('decode', () => {
  test.each(EXAMPLES)('reads RFC 7541 $name', ({ setUp, blocks }) => {
    const decoder = openDecoder();
    decode(decoder, setUp);

    for (const { hex, fields, table, tableBytes } of blocks) {
      const answer = decode(decoder, hex);

      expect(answer?.map(toLine)).toEqual(fields);
      const entries = tableOf(decoder);
      expect(entries.map(toLine)).toEqual(table);
      expect(
        entries.reduce((bytes, [name, value]) => bytes + name.length + value.length + 32, 0),
      ).toBe(tableBytes);
    }
  });

  test('knows the pseudo-fields, and what no request may have, of the static table', () => {
    const fields = decode(openDecoder(), '8182838485868788898a8b8c8d8eb9');

    expect(fields?.map(toLine)).toEqual([
      ':authority: ',
      ':method: GET',
      ':method: POST',
      ':path: /',
      ':path: /index.html',
      ':scheme: http',
      ':scheme: https',
      ':status: 200',
      ':status: 204',
      ':status: 206',
      ':status: 304',
      ':status: 400',
      ':status: 404',
      ':status: 500',
      'transfer-encoding: ',
    ]);
  });

  test('reads no further than the block, wherever it lies', () => {
    const around = Buffer.from('ffff8286ffff', 'hex');

    const fields = openDecoder().decode(around, 2, 4);

    expect(fields?.map(toLine)).toEqual([':method: GET', ':scheme: http']);
  });

  test('reads octets as Latin-1', () => {
    const fields = decode(openDecoder(), '0001780480ffe900');

    expect(fields).toEqual([['x', '\u0080ÿé\0']]);
  });

  test('answers the very entries of the tables', () => {
    const decoder = openDecoder();
    const [inserted] = decode(decoder, '400178023132') ?? [];

    const fields = decode(decoder, 'bebe82');

    expect(fields?.[0]).toBe(inserted);
    expect(fields?.[1]).toBe(inserted);
    expect(fields?.[2]).toBe(decode(openDecoder(), '82')?.[0]);
  });

  test.each([
    ['index 0', '80'],
    ['an index beyond the static table while the other is empty', 'be'],
    ['an index beyond both', 'ff808001'],
    ['a name of an index beyond both', '7f00'],
    ['a name without a value', '000178'],
    ['a name that is cut off', '00057878'],
    ['a value that is cut off', '0001780578'],
    ['a representation that is cut off', '40'],
    ['a length of too many octets', '00017f8080808000'],
    ['a bad Huffman code', '00017881ff'],
    ['a size update after a field', '8220'],
    ['a table larger than announced', '3fe21f'],
    ['a size update that is cut off', '3f'],
  ])('refuses %s', (_, hex) => {
    const decoder = openDecoder();

    expect(() => decode(decoder, hex)).toThrow(HpackError);
  });
});

describe('the table of a decoder', () => {
  test('takes several sizes at the start of a block, and loses what does not fit the least', () => {
    const decoder = openDecoder();
    decode(decoder, '400161013140016201324001630133');

    // 70 bytes, then 4096 again: an entry here has 34.
    const fields = decode(decoder, '3f273fe11f82');

    expect(fields?.map(toLine)).toEqual([':method: GET']);
    expect(tableOf(decoder).map(toLine)).toEqual(['c: 3', 'b: 2']);
  });

  test('may be full to the last byte', () => {
    const decoder = openDecoder();

    // 68 bytes for two entries of 34, then 34 for one.
    decode(decoder, '3f25400161013140016201324001630133');
    const two = tableOf(decoder);
    decode(decoder, '3f034001640134');
    const one = tableOf(decoder);

    expect(two.map(toLine)).toEqual(['c: 3', 'b: 2']);
    expect(one.map(toLine)).toEqual(['d: 4']);
  });

  test('is emptied by a field that is larger than it', () => {
    const decoder = openDecoder();
    decode(decoder, '3f07400161013140016201324001630133');
    const before = tableOf(decoder);

    decode(decoder, `4001780a${'78'.repeat(10)}`);

    expect(before.map(toLine)).toEqual(['c: 3']);
    expect(tableOf(decoder)).toEqual([]);
  });

  test('keeps the name of an entry that is evicted by its own use', () => {
    const decoder = openDecoder();
    decode(decoder, '3f0d4003616263023132');

    const fields = decode(decoder, '7e023334');

    expect(fields?.map(toLine)).toEqual(['abc: 34']);
    expect(tableOf(decoder).map(toLine)).toEqual(['abc: 34']);
  });

  test.each([0, 100])('of an announced size of %i has to be shrunk by the first block', (bytes) => {
    const update = Buffer.alloc(4);
    const end = writeInteger(bytes, 0x20, 0x1f, update, 0);

    const obeyed = decode(
      openDecoder({ maxTableBytes: bytes }),
      `${update.toString('hex', 0, end)}82`,
    );

    expect(obeyed?.map(toLine)).toEqual([':method: GET']);
    expect(() => decode(openDecoder({ maxTableBytes: bytes }), '82')).toThrow(HpackError);
  });

  test('has 4096 bytes until the peer makes use of more', () => {
    const decoder = openDecoder({ maxTableBytes: 10_000 });
    const large = `4001617fa90f${'62'.repeat(2088)}`;

    decode(decoder, large + large);
    const before = tableOf(decoder).length;
    decode(decoder, `3fe13f${large}`);

    expect(before).toBe(1);
    expect(tableOf(decoder)).toHaveLength(2);
  });
});

describe('a header list', () => {
  test('is given up where it is larger than the limit, counted as RFC 7541 counts', () => {
    const limit = ':method'.length + 'GET'.length + 32;

    const fits = decode(openDecoder({ maxListBytes: limit }), '82');
    const tooLarge = decode(openDecoder({ maxListBytes: limit - 1 }), '82');

    expect(fits).toHaveLength(1);
    expect(tooLarge).toBeUndefined();
  });

  test('that is given up enters the table all the same', () => {
    const decoder = openDecoder({ maxListBytes: 100 });

    const given = decode(decoder, `400161013182828240016201324001630133`);

    expect(given).toBeUndefined();
    expect(tableOf(decoder).map(toLine)).toEqual(['c: 3', 'b: 2', 'a: 1']);
  });

  test('of a small block that refers to a large entry over and over is given up', () => {
    const decoder = openDecoder({ maxListBytes: 16_384 });
    decode(decoder, `4001617fa10f${'62'.repeat(2080)}`);

    const given = decode(decoder, 'be'.repeat(200_000));

    expect(given).toBeUndefined();
    expect(tableOf(decoder)).toHaveLength(1);
  });
});

function openDecoder(limits: { maxTableBytes?: number; maxListBytes?: number } = {}): HpackDecoder {
  return new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 65_536, ...limits });
}

function decode(decoder: HpackDecoder, hex: string): readonly HeaderField[] | undefined {
  const block = Buffer.from(hex, 'hex');
  return decoder.decode(block, 0, block.length);
}

/** Asks for one entry after the other, until there is none. */
function tableOf(decoder: HpackDecoder): readonly HeaderField[] {
  const entries: HeaderField[] = [];
  const block = Buffer.alloc(4);
  for (let index = FIRST_DYNAMIC_INDEX; ; index++) {
    const end = writeInteger(index, 0x80, 0x7f, block, 0);
    try {
      entries.push(...(decoder.decode(block, 0, end) ?? []));
    } catch (error) {
      expect(error).toBeInstanceOf(HpackError);
      return entries;
    }
  }
}

function withHex(examples: readonly Omit<Example, 'hex'>[], blocks: readonly string[]): Example[] {
  return examples.map((example, i) => ({ ...example, hex: blocks[i] ?? '' }));
}

function toLine([name, value]: HeaderField): string {
  return `${name}: ${value}`;
}
