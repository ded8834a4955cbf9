import { BlockList, isIP } from 'node:net';

/** Addresses and ranges, such as `10.0.0.5,10.1.0.0/16,fd00::/8`. Undefined where one of them is neither. */
export function parseAddresses(text: string): BlockList | undefined {
  const addresses = new BlockList();
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return entries.every((entry) => addEntry(addresses, entry)) ? addresses : undefined;
}

function addEntry(addresses: BlockList, entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/');
  const family = toFamily(address);
  if (family === undefined || rest.length > 0) return false;
  if (prefix === undefined) {
    addresses.addAddress(address, family);
    return true;
  }
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > (family === 'ipv4' ? 32 : 128)) return false;
  addresses.addSubnet(address, Number(prefix), family);
  return true;
}

/** Whether the address is listed; one of IPv4 also where it is written as IPv6 (`::ffff:10.0.0.5`). */
export function isListed(addresses: BlockList, address: string | undefined): boolean {
  const family = address === undefined ? undefined : toFamily(address);
  return address !== undefined && family !== undefined && addresses.check(address, family);
}

function toFamily(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  return version === 4 ? 'ipv4' : 'ipv6';
}
