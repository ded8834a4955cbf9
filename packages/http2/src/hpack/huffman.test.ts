import fc from 'fast-check';

import { HpackError } from './hpack-error.ts';
import { CODE_LENGTHS, CODES } from './huffman-codes.ts';
import { decodedBound, huffmanLength, readHuffman, writeHuffman } from './huffman.ts';

describe('the Huffman code', () => {
  // Peers refuse most control characters, so that node's codec cannot vouch for these.
  test.each([
    [0x00, 13, 0x1ff8],
    [0x01, 23, 0x7fffd8],
    [0x02, 28, 0xfffffe2],
    [0x08, 28, 0xfffffe8],
    [0x09, 24, 0xffffea],
    [0x0a, 30, 0x3ffffffc],
    [0x0b, 28, 0xfffffe9],
    [0x0d, 30, 0x3ffffffd],
    [0x0e, 28, 0xfffffeb],
    [0x15, 28, 0xffffff2],
    [0x16, 30, 0x3ffffffe],
    [0x17, 28, 0xffffff3],
    [0x1f, 28, 0xffffffb],
    [0x7f, 28, 0xffffffc],
    [0x100, 30, 0x3fffffff],
  ])('of symbol %i has %i bits and is %i', (symbol, bits, code) => {
    expect([CODE_LENGTHS[symbol], CODES[symbol]]).toEqual([bits, code]);
  });

  test.each([
    ['www.example.com', 'f1e3c2e5f23a6ba0ab90f4ff'],
    ['no-cache', 'a8eb10649cbf'],
    ['custom-key', '25a849e95ba97d7f'],
    ['custom-value', '25a849e95bb8e8b4bf'],
    ['302', '6402'],
    ['private', 'aec3771a4b'],
    ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07abe941054d444a8200595040b8166e082a62d1bff'],
    ['https://www.example.com', '9d29ad171863c78f0b97c8e9ae82ae43d3'],
    ['307', '640eff'],
    ['gzip', '9bd9ab'],
    [
      'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
      '94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    ],
  ])('writes and reads %s as in RFC 7541 C.4 and C.6', (text, hex) => {
    expect(encode(text).toString('hex')).toBe(hex);
    expect(decode(Buffer.from(hex, 'hex'))).toBe(text);
  });

  test('is read for every octet, among others', () => {
    for (let octet = 0; octet <= 0xff; octet++) {
      const bits = `${bitsOf('/')}${codeOf(octet)}${bitsOf('ab')}`;
      const code = Buffer.from(
        (bits + '1'.repeat(7)).match(/.{8}/g)?.map((b) => parseInt(b, 2)) ?? [],
      );

      expect(decode(code)).toBe(`/${String.fromCharCode(octet)}ab`);
    }
  });

  test('gives back every text of printable ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        const encoded = encode(text);

        expect(encoded).toHaveLength(huffmanLength(text));
        expect(decode(encoded)).toBe(text);
      }),
    );
  });

  test.each([
    ['eight bits of padding', '1fff'],
    ['nothing but padding', 'ff'],
    ['padding of zeros', '18'],
    ['a one among zeros as padding', '19'],
    ['EOS', 'fffffffc'],
    ['EOS before other symbols', 'fffffffc1f'],
    ['a code that is not complete', 'fffffe'],
  ])('is refused with %s', (_, hex) => {
    expect(() => decode(Buffer.from(hex, 'hex'))).toThrow(HpackError);
  });

  // Each text ends that many bits before the end of an octet.
  test.each([
    ['&', 'f8', 0],
    [':', 'b9', 1],
    [' ', '53', 2],
    ['0', '07', 3],
    ['   ', '51453f', 6],
    ['00000', '0000007f', 7],
  ])('of %j may be padded, as in %s', (text, hex, padding) => {
    expect((8 - (bitsOf(text).length % 8)) % 8).toBe(padding);
    expect(decode(Buffer.from(hex, 'hex'))).toBe(text);
  });
});

function encode(text: string): Buffer {
  const target = Buffer.alloc(text.length * 4 + 1);
  return target.subarray(0, writeHuffman(text, target, 0));
}

function decode(source: Buffer): string {
  const target = Buffer.alloc(decodedBound(source.length));
  return target.toString('latin1', 0, readHuffman(source, 0, source.length, target));
}

function bitsOf(text: string): string {
  return Array.from(text, (char) => codeOf(char.charCodeAt(0))).join('');
}

function codeOf(symbol: number): string {
  return (CODES[symbol] ?? 0).toString(2).padStart(CODE_LENGTHS[symbol] ?? 0, '0');
}
