import { Type } from '@sinclair/typebox';

import { compileReader } from './reader.ts';

const read = compileReader(
  Type.Object({
    text: Type.String(),
    count: Type.Integer(),
    flag: Type.Boolean(),
    name: Type.Unsafe({ type: 'string', 'x-any-case': true }),
    id: Type.Unsafe({ type: ['string', 'integer'] }),
    list: Type.Array(Type.String()),
    open: Type.Object({}),
  }),
);

describe('a reader', () => {
  test.each([
    [
      { text: 1.5, id: 2 },
      { text: '1.5', id: '2' },
    ],
    [
      { text: true, id: '2' },
      { text: 'true', id: '2' },
    ],
    [{ count: '2' }, { count: 2 }],
    [{ count: 2.7 }, { count: 2 }],
    [{ count: ' -2.7 ' }, { count: -2 }],
    [{ count: '' }, {}],
    [{ flag: 'true' }, { flag: true }],
    [{ flag: 'false' }, { flag: false }],
    [{ flag: '' }, {}],
    [{ name: 'IoS' }, { name: 'ios' }],
    [{ list: [1, 'a', false] }, { list: ['1', 'a', 'false'] }],
    [{ text: null, count: null, open: null }, {}],
    [{ unknown: 1 }, {}],
    [{ open: { a: null, b: { c: null } } }, { open: { a: null, b: { c: null } } }],
  ])('makes of %j %j', (given, expected) => {
    expect(read(given)).toEqual(expected);
  });

  test.each([
    { text: {} },
    { count: 'two' },
    { count: '0x10' },
    { count: 'Infinity' },
    { count: true },
    { flag: 1 },
    { flag: 'yes' },
    { name: 5 },
    { text: Number.MAX_SAFE_INTEGER + 1, id: -1e21 },
    { list: 'a' },
    { list: [null] },
  ])('leaves %j to the validator', (given) => {
    expect(read(given)).toEqual(given);
  });

  test.each([undefined, null, 'text', 5, [1]])('leaves %j, which is no object', (given) => {
    expect(read(given)).toBe(given);
  });
});
