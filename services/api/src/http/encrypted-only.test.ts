import type { Request, Response } from 'express';

import { encryptedOnly } from './encrypted-only.ts';
import { isListed, parseAddresses } from './trusted-proxies.ts';

const PROXIES = parseAddresses('10.0.0.5, 10.1.0.0/16,fd00::/8');

/** What becomes of a request that came over plain TCP from this address. */
function take(remoteAddress: string | undefined, forwardedProto?: string): 'taken' | 'refused' {
  const headers = forwardedProto === undefined ? {} : { 'x-forwarded-proto': forwardedProto };
  const req = { socket: { remoteAddress }, headers } as unknown as Request;
  let isTaken = false;
  if (PROXIES === undefined) throw new Error('the addresses are malformed');
  try {
    void encryptedOnly(PROXIES)(req, {} as Response, () => (isTaken = true));
  } catch (error) {
    expect(error).toMatchObject({ code: 'forbidden', status: 403 });
  }
  return isTaken ? 'taken' : 'refused';
}

describe('a request over plain HTTP', () => {
  test.each<['taken' | 'refused', string, string | undefined, string | undefined]>([
    ['taken', 'loopback', '127.0.0.1', undefined],
    ['taken', 'elsewhere on loopback', '127.8.9.1', undefined],
    ['taken', 'loopback of IPv6', '::1', undefined],
    ['taken', 'loopback in IPv6 notation', '::ffff:127.0.0.1', undefined],
    ['taken', 'loopback that had it by https', '127.0.0.1', 'https'],
    ['refused', 'loopback that says it had it in the clear', '127.0.0.1', 'http'],
    ['refused', 'loopback, where the first hop was in the clear', '127.0.0.1', 'http, https'],
    ['taken', 'a listed proxy that had it by https', '10.0.0.5', 'https'],
    ['taken', 'one that writes it in other letters', '10.0.0.5', 'HTTPS'],
    ['taken', 'a chain of proxies that all had it by https', '10.0.0.5', 'https,https'],
    ['taken', 'a listed proxy in IPv6 notation', '::ffff:10.0.0.5', 'https'],
    ['taken', 'one of a listed range', '10.1.255.254', 'https'],
    ['taken', 'one of a listed range of IPv6', 'fd12::7', 'https'],
    ['refused', 'a listed proxy that had it in the clear', '10.0.0.5', 'http'],
    ['refused', 'a listed proxy that does not say', '10.0.0.5', undefined],
    ['refused', 'a listed proxy that says nothing', '10.0.0.5', ''],
    ['refused', 'a proxy that passes a claim of a stranger on', '10.0.0.5', 'https, http'],
    ['refused', 'a neighbour of the listed proxy', '10.0.0.6', 'https'],
    ['refused', 'a neighbour of the listed range', '10.2.0.0', 'https'],
    ['refused', 'a stranger', '203.0.113.7', undefined],
    ['refused', 'a stranger who claims https', '203.0.113.7', 'https'],
    ['refused', 'a stranger of IPv6 who claims https', '2001:db8::1', 'https'],
    ['refused', 'a connection that is gone', undefined, 'https'],
  ])('is %s from %s', (expected, _name, address, forwardedProto) => {
    const what = take(address, forwardedProto);

    expect(what).toBe(expected);
  });
});

describe('a list of addresses', () => {
  test.each(['', ' ', '10.0.0.1', ' 10.0.0.1 , ::1 ', '0.0.0.0/0', '::/0', '10.0.0.1/32'])(
    'may be %j',
    (text) => {
      const addresses = parseAddresses(text);

      expect(addresses).toBeDefined();
    },
  );

  test.each([
    'proxy.example.com',
    '10.0.0',
    '10.0.0.1/33',
    '::1/129',
    '10.0.0.1/',
    '10.0.0.1/8/8',
    '10.0.0.1/-1',
    '10.0.0.1/1e1',
    '10.0.0.1;10.0.0.2',
  ])('is not %j', (text) => {
    const addresses = parseAddresses(text);

    expect(addresses).toBeUndefined();
  });

  test('that is empty has nobody on it', () => {
    const addresses = parseAddresses('');

    expect(addresses !== undefined && isListed(addresses, '127.0.0.1')).toBe(false);
  });
});
