import type { IncomingMessage } from 'node:http';

import { toClientAddress, toClientNetwork } from './client-address.ts';
import { parseAddresses } from './trusted-proxies.ts';

function addressOf(remoteAddress: string, forwarded?: string, trusted = '10.0.0.0/8'): string {
  const proxies = parseAddresses(trusted);
  if (proxies === undefined) throw new Error(`${trusted} are no addresses`);
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return toClientAddress({ socket: { remoteAddress }, headers } as IncomingMessage, proxies);
}

test.each([
  ['192.0.2.1', undefined, '192.0.2.1'],
  ['192.0.2.1', '198.51.100.1', '192.0.2.1'],
  ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['::ffff:10.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['127.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['10.0.0.1', '203.0.113.1, 198.51.100.1', '198.51.100.1'],
  ['10.0.0.1', '203.0.113.1, 10.0.0.2', '203.0.113.1'],
  ['10.0.0.1', 'nonsense', '10.0.0.1'],
  ['10.0.0.1', undefined, '10.0.0.1'],
  ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
])('who comes from %s with X-Forwarded-For %j is at %s', (remote, forwarded, expected) => {
  expect(addressOf(remote, forwarded)).toBe(expected);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['2001:0DB8:0001::', '2001:db8:1:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['', ''],
])('%s is counted as %s', (address, network) => {
  expect(toClientNetwork(address)).toBe(network);
});
