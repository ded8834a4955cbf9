import fc from 'fast-check';

import { parseReceiver } from './receiver.ts';
import { toLastSegment, toRequestUri } from './sent-text.ts';

const CARRIERS = ['acme.com', 'other'];

describe('parseReceiver', () => {
  test('reads back every user that a text can name, with a raw @ and an escaped one', () => {
    const users = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !text.includes('\0'));

    fc.assert(
      fc.property(users, fc.constantFrom(...CARRIERS), (userId, carrier) => {
        const escaped = encodeURIComponent(userId);

        expect(parseReceiver(`${escaped}@${carrier}`, CARRIERS)).toEqual({ userId, carrier });
        expect(parseReceiver(`${escaped}%40${carrier}`, CARRIERS)).toEqual({ userId, carrier });
      }),
    );
  });

  test('never throws, and finds nobody without one of the carriers', () => {
    const noise = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('%', '%4', '%40', '@', '%00', '%ff', '%ud800', 'acme.com', 'x'),
    );

    fc.assert(
      fc.property(fc.array(noise, { maxLength: 8 }), (parts) => {
        const receiver = parseReceiver(parts.join(''), CARRIERS);

        expect([...CARRIERS, undefined]).toContain(receiver?.carrier);
        expect(receiver?.userId).not.toBe('');
      }),
    );
  });
});

describe('a request target', () => {
  test.each([
    ['/api/1.0/push/u', '/api/1.0/push/u', 'u'],
    ['/api/1.0/push/u@c/?a=/b', '/api/1.0/push/u@c/?a=/b', 'u@c'],
    ['http://host:80/push/u?x', '/push/u?x', 'u'],
    ['HTTPS://host/push/u', '/push/u', 'u'],
    ['http://host', '/', ''],
    ['http://host?x', '/?x', ''],
    ['/push/http://host/u', '/push/http://host/u', 'u'],
    ['/push/u#/v', '/push/u#/v', 'u'],
    ['*', '/*', '*'],
  ])('%s is signed as %s, and ends with %j', (target, uri, segment) => {
    const read = toRequestUri(target);

    expect([read, toLastSegment(read)]).toEqual([uri, segment]);
  });
});
