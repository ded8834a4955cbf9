import fc from 'fast-check';

import type { HeaderField } from '../request.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackError } from './hpack-error.ts';

const MAX_LIST_BYTES = 1000;
const RUNS = 2000;

/** RFC 7541 C.4 and C.6, for the mutations to begin with. */
const BLOCKS = [
  '828684418cf1e3c2e5f23a6ba0ab90f4ff',
  '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
  '3fe101488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff',
  '100870617373776f726406736563726574',
].map((hex) => Buffer.from(hex, 'hex'));

const randomBlock = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const mutation = fc.record({ at: fc.nat(80), octet: fc.nat(0xff), dropped: fc.nat(3) });
const mutatedBlock = fc
  .tuple(fc.constantFrom(...BLOCKS), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([block, mutations]) => mutations.reduce(mutate, block));
const blocks = fc.array(fc.oneof(randomBlock, mutatedBlock, fc.constantFrom(...BLOCKS)), {
  minLength: 1,
  maxLength: 6,
});

describe('decode, given blocks that nobody meant', () => {
  test('answers fields within the limit, nothing, or an HpackError', () => {
    fc.assert(
      fc.property(blocks, fc.constantFrom(0, 60, 4096), (given, maxTableBytes) => {
        const decoder = new HpackDecoder({ maxTableBytes, maxListBytes: MAX_LIST_BYTES });

        const answers = given.map((block) => attempt(decoder, block, 0, block.length));

        for (const answer of answers) {
          if (answer instanceof HpackError) continue;
          expect(sizeOf(answer ?? [])).toBeLessThanOrEqual(MAX_LIST_BYTES);
        }
      }),
      { numRuns: RUNS },
    );
  });

  test('answers the same whatever stands around them', () => {
    fc.assert(
      fc.property(blocks, randomBlock, (given, other) => {
        const alone = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: MAX_LIST_BYTES });
        const within = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: MAX_LIST_BYTES });

        for (const block of given) {
          const start = other.length;
          const surrounded = Buffer.concat([other, block, other]);
          const answer = attempt(within, surrounded, start, start + block.length);

          expect(answer).toEqual(attempt(alone, block, 0, block.length));
        }
      }),
      { numRuns: RUNS },
    );
  });
});

function mutate(
  block: Buffer,
  { at, octet, dropped }: { at: number; octet: number; dropped: number },
): Buffer {
  const before = block.subarray(0, at);
  return Buffer.concat([before, Buffer.of(octet), block.subarray(at + dropped)]);
}

/** Throws whatever is not an `HpackError`. */
function attempt(
  decoder: HpackDecoder,
  block: Buffer,
  start: number,
  end: number,
): readonly HeaderField[] | HpackError | undefined {
  try {
    return decoder.decode(block, start, end);
  } catch (error) {
    if (error instanceof HpackError) return error;
    throw error;
  }
}

function sizeOf(fields: readonly HeaderField[]): number {
  return fields.reduce((bytes, [name, value]) => bytes + name.length + value.length + 32, 0);
}
