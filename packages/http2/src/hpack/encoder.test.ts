import fc from 'fast-check';

import { RequestTemplate } from '../request-template.ts';
import type { HeaderField } from '../request.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackEncoder } from './encoder.ts';

const AUTHORITY = '418cf1e3c2e5f23a6ba0ab90f4ff';
const CUSTOM = '408825a849e95ba97d7f8925a849e95bb8e8b4bf';

const value = fc.string({ unit: fc.constantFrom(...Array.from('abcxyz019 ~<\\')), maxLength: 70 });
const name = fc.constantFrom('apns-topic', 'content-type', 'user-agent', 'te', 'x-0', 'date');
const fieldsOf = (most: number) => fc.array(fc.tuple(name, value), { maxLength: most });
const template = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'QUERY'),
    authority: fc.constantFrom('example.com', 'push.example.com', 'a'.repeat(120)),
    shared: fieldsOf(4),
    own: fieldsOf(3),
    secret: fieldsOf(2),
  })
  .map((parts) => new RequestTemplate(parts));
const request = fc.record({
  template: fc.nat(),
  path: fc
    .string({ unit: fc.constantFrom(...Array.from('/abc~!')), maxLength: 150 })
    .map((rest) => `/${rest}`),
  fields: fieldsOf(3),
});
const size = fc.record({ tableBytes: fc.constantFrom(0, 31, 50, 100, 150, 4096, 65_536) });

describe('encodeRequest', () => {
  test('indexes what templates share, and leaves out of the table what is of one request or secret', () => {
    const encoder = new HpackEncoder();
    const secretive = new RequestTemplate({
      method: 'POST',
      authority: 'www.example.com',
      shared: [['custom-key', 'custom-value']],
      own: [['cache-control', 'no-cache']],
      secret: [['authorization', 'custom-value']],
    });

    const first = encode(encoder, secretive, '/a', [['x', '1']]);
    const second = encode(encoder, secretive, '/b', [['content-length', '2']]);

    const rest = '0f0986a8eb10649cbf1f088925a849e95bb8e8b4bf';
    expect(first.toString('hex')).toBe(`8387${AUTHORITY}04022f61${CUSTOM}${rest}0001780131`);
    expect(second.toString('hex')).toBe(`8387bf04022f62be${rest}0f0d0132`);
  });

  test('refers to what another template has put into the table', () => {
    const encoder = new HpackEncoder();
    const shared: HeaderField[] = [['custom-key', 'custom-value']];
    const make = () =>
      new RequestTemplate({ method: 'GET', authority: 'www.example.com', shared: [...shared] });
    encode(encoder, make(), '/', []);

    const block = encode(encoder, make(), '/', []);

    expect(block.toString('hex')).toBe('8287bf04012fbe');
  });

  // The authority has 57 bytes there.
  test.each([
    {
      bytes: 56,
      update: '3f19',
      first: '018cf1e3c2e5f23a6ba0ab90f4ff',
      second: '018cf1e3c2e5f23a6ba0ab90f4ff',
    },
    { bytes: 57, update: '3f1a', first: AUTHORITY, second: 'be' },
  ])('inserts what fits a table of $bytes bytes', ({ bytes, update, first, second }) => {
    const encoder = new HpackEncoder();
    encoder.setMaxTableBytes(bytes);
    const plain = new RequestTemplate({ method: 'GET', authority: 'www.example.com' });

    const blocks = [encode(encoder, plain, '/', []), encode(encoder, plain, '/', [])];

    expect(blocks.map((block) => block.toString('hex'))).toEqual([
      `${update}8287${first}04012f`,
      `8287${second}04012f`,
    ]);
  });

  test.each([
    { sizes: [4096], updates: '' },
    { sizes: [65_536], updates: '' },
    { sizes: [0], updates: '20' },
    { sizes: [50], updates: '3f13' },
    { sizes: [50, 4096], updates: '3f133fe11f' },
    { sizes: [100, 50, 65_536, 100], updates: '3f133f45' },
    { sizes: [100, 50], updates: '3f13' },
  ])('tells the least and the last table size of $sizes', ({ sizes, updates }) => {
    const encoder = new HpackEncoder();
    const plain = new RequestTemplate({ method: 'GET', authority: 'a'.repeat(5000) });
    const usual = encode(encoder, plain, '/', []).toString('hex');
    sizes.forEach((bytes) => encoder.setMaxTableBytes(bytes));

    const first = encode(encoder, plain, '/', []);
    const second = encode(encoder, plain, '/', []);

    expect(first.toString('hex')).toBe(updates + usual);
    expect(second.toString('hex')).toBe(usual);
  });

  test.each([
    { what: 'an empty path', path: '' },
    { what: 'a space in the path', path: '/a b' },
    { what: 'a line end in the path', path: '/\r\nx: y' },
    { what: 'a letter beyond ASCII in the path', path: '/ü' },
    { what: 'a letter beyond Latin-1 in the path', path: '/\u0141' },
    { what: 'an empty name', fields: [['', 'x']] },
    { what: 'a capital in a name', fields: [['X', 'x']] },
    { what: 'a pseudo-field among the fields', fields: [[':path', '/']] },
    { what: 'a line end in a name', fields: [['x\n', 'x']] },
    { what: 'a line end in a value', fields: [['x', 'x\ny: z']] },
    { what: 'NUL in a value', fields: [['x', '\0']] },
    { what: 'DEL in a value', fields: [['x', '\x7f']] },
    { what: 'a letter beyond Latin-1 in a value', fields: [['x', '\u010a']] },
    { what: 'a line end in the authority', authority: 'a\nb' },
    { what: 'a bad shared field', shared: [['x', 'é']] },
    { what: 'a bad field of the template', own: [['x', '\r']] },
    { what: 'a bad secret', secret: [['x', '\t']] },
  ] satisfies BadRequest[])('refuses $what, as if it had not been asked', (bad: BadRequest) => {
    const encoder = new HpackEncoder();
    encoder.setMaxTableBytes(1000);
    const good = new RequestTemplate({ method: 'GET', authority: 'www.example.com' });
    const odd = new RequestTemplate({ method: 'GET', authority: 'other.example.com', ...bad });
    const target = Buffer.alloc(1000);

    const refused = () => encoder.encodeRequest(odd, bad.path ?? '/', bad.fields ?? [], target, 0);

    expect(refused).toThrow(TypeError);
    expect(target.equals(Buffer.alloc(1000))).toBe(true);
    expect(encode(encoder, good, '/', []).toString('hex')).toBe(`3fc9078287${AUTHORITY}04012f`);
  });

  test('is understood by a decoder and stays within its bound, whatever comes and goes', () => {
    fc.assert(
      fc.property(
        fc.array(template, { minLength: 1, maxLength: 12 }),
        fc.array(fc.oneof({ weight: 6, arbitrary: request }, size), { maxLength: 60 }),
        (templates, steps) => {
          const encoder = new HpackEncoder();
          const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 65_536 });

          for (const step of steps) {
            if ('tableBytes' in step) {
              encoder.setMaxTableBytes(step.tableBytes);
              continue;
            }
            const its = templates[step.template % templates.length] as RequestTemplate;
            const block = encode(encoder, its, step.path, step.fields);

            const understood = decoder.decode(block, 0, block.length);

            expect(understood).toEqual([
              ...its.pseudo,
              [':path', step.path],
              ...its.shared,
              ...its.own,
              ...its.secret,
              ...step.fields,
            ]);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

interface BadRequest {
  what: string;
  path?: string;
  fields?: [string, string][];
  authority?: string;
  shared?: [string, string][];
  own?: [string, string][];
  secret?: [string, string][];
}

/** Looks at the bound, too, and that nothing beside the block is touched. */
function encode(
  encoder: HpackEncoder,
  its: RequestTemplate,
  path: string,
  fields: readonly HeaderField[],
): Buffer {
  const offset = 3;
  const bound = encoder.boundOf(its, path, fields);
  const target = Buffer.alloc(offset + bound + 10, 0xaa);
  const end = encoder.encodeRequest(its, path, fields, target, offset);
  expect(end - offset).toBeLessThanOrEqual(bound);
  const around = Buffer.concat([target.subarray(0, offset), target.subarray(end)]);
  expect(around.equals(Buffer.alloc(around.length, 0xaa))).toBe(true);
  return target.subarray(offset, end);
}
