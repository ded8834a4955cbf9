import { BlockList, isIP } from 'node:net';

/** Not reachable by everybody: IANA's special-purpose registry, and what answers only inside of a cloud. */
const REFUSED: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8], // this host
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT; metadata of Alibaba Cloud
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // metadata of Azure, though a public address by its looks
  ['169.254.0.0', 16], // link-local; metadata of most clouds
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments; metadata of Oracle Cloud
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved; broadcast

  ['2001::', 23], // protocol assignments: Teredo, ORCHID, benchmarks
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['3fff::', 20], // documentation
];

/** Of IPv6 only these are routed; loopback, unique local, link-local, multicast and all that is yet to come lie outside. */
const GLOBAL_UNICAST = toList([['2000::', 3]]);
/** The last 32 bits are an IPv4 address, and that is where a packet ends up: mapped, and NAT64. */
const EMBEDDING = [toList([['::ffff:0:0', 96]]), toList([['64:ff9b::', 96]])];
const NOT_PUBLIC = toList(REFUSED);

/** Whether the address of an interface that anybody on the internet may reach. False for what is no address. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !NOT_PUBLIC.check(address, 'ipv4');
    case 6:
      return isPublicIpv6(address);
    default:
      return false;
  }
}

function isPublicIpv6(address: string): boolean {
  // Of an interface of ours: link-local, whatever its bits say.
  if (address.includes('%')) return false;
  if (EMBEDDING.some((list) => list.check(address, 'ipv6')))
    return isPublicAddress(toEmbeddedIpv4(address));
  return GLOBAL_UNICAST.check(address, 'ipv6') && !NOT_PUBLIC.check(address, 'ipv6');
}

function toEmbeddedIpv4(address: string): string {
  // As URL writes it: groups in hex, of which zeros may be left out.
  const { hostname } = new URL(`https://[${address}]`);
  const groups = hostname.slice(1, -1).split('::').at(-1)?.split(':') ?? [];
  const high = Number.parseInt(groups.at(-2) || '0', 16);
  const low = Number.parseInt(groups.at(-1) || '0', 16);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

function toList(networks: typeof REFUSED): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks)
    list.addSubnet(network, prefix, network.includes(':') ? 'ipv6' : 'ipv4');
  return list;
}
