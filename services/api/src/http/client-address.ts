import type { IncomingMessage } from 'node:http';
import { isIP, type BlockList } from 'node:net';

import { LOOPBACK } from './loopback.ts';
import { isListed } from './trusted-proxies.ts';

/** From where a request came, as far as it can be known: what `X-Forwarded-For` says is believed of proxies that we trust, from its end. */
export function toClientAddress(
  { socket, headers }: IncomingMessage,
  trustedProxies: BlockList,
): string {
  const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  let address = plain(socket.remoteAddress ?? '');
  while (isListed(trustedProxies, address) || isListed(LOOPBACK, address)) {
    const before = plain(forwarded.pop()?.trim() ?? '');
    if (isIP(before) === 0) break;
    address = before;
  }
  return address;
}

/** What is counted as one caller: of IPv6 the network, which one customer has to itself. */
export function toClientNetwork(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0');
  const network = [...groups, ...zeros, ...rest].slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** An address of IPv4 as such, also where it is written as IPv6. */
function plain(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
