import fc from 'fast-check';

import { BlockReader } from './block-reader.ts';
import { HpackError } from './hpack-error.ts';
import { writeInteger } from './integer.ts';

const MOST = 0x7f + 2 ** 28 - 1;

describe('an integer', () => {
  test.each([
    { name: 'C.1.1', value: 10, mask: 0x1f, hex: '0a' },
    { name: 'C.1.2', value: 1337, mask: 0x1f, hex: '1f9a0a' },
    { name: 'C.1.3', value: 42, mask: 0xff, hex: '2a' },
  ])('is written and read as in RFC 7541 $name', ({ value, mask, hex }) => {
    const target = Buffer.alloc(10);

    const end = writeInteger(value, 0, mask, target, 0);

    expect(target.toString('hex', 0, end)).toBe(hex);
    expect(readerOf(hex).readInteger(mask)).toBe(value);
  });

  test('is read as it was written, and the pattern beside it stays', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: MOST }),
        fc.integer({ min: 1, max: 7 }),
        (some, bits) => {
          const mask = (1 << bits) - 1;
          const value = Math.min(some, mask + 2 ** 28 - 1);
          const target = Buffer.alloc(10);

          const end = writeInteger(value, 0xff & ~mask, mask, target, 1);

          expect((target[1] ?? 0) & ~mask).toBe(0xff & ~mask);
          const reader = new BlockReader();
          reader.open(target, 1, end);
          expect(reader.readInteger(mask)).toBe(value);
          expect(reader.isAtEnd).toBe(true);
        },
      ),
    );
  });

  test.each([
    ['has a fifth octet after the prefix', '1f8080808000'],
    ['would overflow', '1fffffffffffffffffff7f'],
    ['ends with its block', '1f'],
    ['goes on after its block', '1f9a'],
    ['is not there', ''],
  ])('is refused where it %s', (_, hex) => {
    const reader = readerOf(hex);

    expect(() => reader.readInteger(0x1f)).toThrow(HpackError);
  });
});

function readerOf(hex: string): BlockReader {
  const reader = new BlockReader();
  // What follows belongs to somebody else.
  const block = Buffer.from(`${hex}00000000`, 'hex');
  reader.open(block, 0, hex.length / 2);
  return reader;
}
