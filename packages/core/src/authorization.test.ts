import fc from 'fast-check';

import { parseAuthorization, parseImfFixdate } from './authorization.ts';
import { toAuthorization } from './signature.ts';

const PARTS = { key: 'K', nonce: 'N', signature: 'abc' };

describe('parseAuthorization', () => {
  test.each([
    'MAAIISDK10 key="K", nonce="N", signature="abc"',
    'MAAIISDK10 signature="abc",nonce="N",key="K"',
    'maaiisdk10   nonce="N" ,\tkey="K",   signature="abc"',
    'MaaiiSDK10 Key="K", NONCE="N", signature="abc" ',
  ])('takes %j', (header) => {
    const parsed = parseAuthorization(header);

    expect(parsed).toEqual(PARTS);
  });

  test.each([
    '',
    'MAAIISDK10',
    'MAAIISDK10 ',
    'Basic key="K", nonce="N", signature="abc"',
    'MAAIISDK100 key="K", nonce="N", signature="abc"',
    'MAAIISDK10key="K", nonce="N", signature="abc"',
    'MAAIISDK10 nonce="N", signature="abc"',
    'MAAIISDK10 key="K", signature="abc"',
    'MAAIISDK10 key="K", nonce="N"',
    'MAAIISDK10 key="K", nonce="N", signature="abc",',
    'MAAIISDK10 key="K",, nonce="N", signature="abc"',
    'MAAIISDK10 key="K" nonce="N" signature="abc"',
    'MAAIISDK10 key="K", key="K", nonce="N", signature="abc"',
    'MAAIISDK10 key="K", KEY="L", nonce="N", signature="abc"',
    'MAAIISDK10 key="K", nonce="N", signature="abc", nonce="M"',
    'MAAIISDK10 key="K", nonce="N", signature="abc", realm="x"',
    'MAAIISDK10 key="K", nonce="N", signature="abc", __proto__="x"',
    'MAAIISDK10 key=K, nonce=N, signature=abc',
    "MAAIISDK10 key='K', nonce='N', signature='abc'",
    'MAAIISDK10 key="", nonce="N", signature="abc"',
    'MAAIISDK10 key="K", nonce="", signature="abc"',
    `MAAIISDK10 key="K", nonce="${'n'.repeat(129)}", signature="abc"`,
    'MAAIISDK10 key="K", nonce="a\tb", signature="abc"',
    'MAAIISDK10 key="K", nonce="N", signature="abc" trailing',
    'MAAIISDK10 key="K", nonce="N", signature="abc", MAAIISDK10 key="K", nonce="N", signature="abc"',
  ])('refuses %j', (header) => {
    const parsed = parseAuthorization(header);

    expect(parsed).toBeUndefined();
  });

  test('reads back what was written, whatever key, nonce and signature are', () => {
    const printable = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => /^[^"\p{C}]{1,128}$/u.test(text));

    fc.assert(
      fc.property(printable, printable, printable, (key, nonce, signature) => {
        const parts = { key, nonce, signature };

        expect(parseAuthorization(toAuthorization(parts))).toEqual(parts);
      }),
    );
  });

  test('never throws, whatever comes, and finds nothing in a header that was cut', () => {
    const pieces = fc.constantFrom('MAAIISDK10 ', 'key=', 'nonce="', '"', ',', ' ', '\t', '=', 'é');
    const noise = fc.oneof(fc.string({ unit: 'binary' }), pieces);
    const whole = toAuthorization(PARTS);

    fc.assert(
      fc.property(fc.array(noise, { maxLength: 50 }), (parts) => {
        expect(() => parseAuthorization(parts.join(''))).not.toThrow();
        expect(() => parseAuthorization(`MAAIISDK10 ${parts.join('')}`)).not.toThrow();
      }),
    );
    for (let end = 0; end < whole.length; end += 1)
      expect(parseAuthorization(whole.slice(0, end))).toBeUndefined();
  });

  test.each([
    ['spaces', 'MAAIISDK10 ' + ' '.repeat(1_000_000)],
    ['spaces after a parameter', `MAAIISDK10 key="K"${' '.repeat(1_000_000)}x`],
    ['letters', `MAAIISDK10 ${'a'.repeat(1_000_000)}`],
    ['an open quote', `MAAIISDK10 key="${'a'.repeat(1_000_000)}`],
    ['many parameters', `MAAIISDK10 ${'a="",'.repeat(200_000)}`],
    ['a long nonce', `MAAIISDK10 key="K", nonce="${'n'.repeat(1_000_000)}", signature="s"`],
  ])('ends, and does not take square time, with a million bytes of %s', (_name, header) => {
    const parsed = parseAuthorization(header);

    // A parser that took square time would run into the time limit of the test: 10^12 steps.
    expect(parsed).toBeUndefined();
  });
});

describe('parseImfFixdate', () => {
  test('reads an IMF-fixdate', () => {
    const at = parseImfFixdate('Thu, 12 Sep 2013 18:49:58 GMT');

    expect(at?.toISOString()).toBe('2013-09-12T18:49:58.000Z');
  });

  test.each([
    '',
    'Invalid Date',
    '2013-09-12T18:49:58Z',
    'Thu, 12 Sep 2013 18:49:58',
    'Thu, 12 Sep 2013 18:49:58 UTC',
    'Thu, 12 Sep 2013 18:49:58 +0000',
    'Fri, 12 Sep 2013 18:49:58 GMT',
    'Sat, 31 Feb 2013 18:49:58 GMT',
    'Thu, 12 sep 2013 18:49:58 GMT',
    'Thu, 12 Sep 2013 18:49:58 GMT, Thu, 12 Sep 2013 18:49:58 GMT',
    'Thursday, 12-Sep-13 18:49:58 GMT',
    'Thu Sep 12 18:49:58 2013',
    '1379011798',
  ])('refuses %j', (text) => {
    const at = parseImfFixdate(text);

    expect(at).toBeUndefined();
  });
});
