import { isIP } from 'node:net';

import { AddressRefused } from './address-refused.ts';
import { isPublicAddress } from './public-address.ts';

/**
 * The URL that a customer gave us to call, with any port; its `href` is what to keep. Throws AddressRefused for what is not https, has a
 * name, a password or a fragment, or names this machine or a private address. Where a name leads is known only when we connect:
 * that is the agent's to check.
 */
export function parseCustomerUrl(
  text: string,
  { allowPrivateAddresses = false }: { readonly allowPrivateAddresses?: boolean } = {},
): URL {
  if (!URL.canParse(text)) throw new AddressRefused('not_a_url');
  // The parser undoes all disguises of an IPv4 address: decimal, octal, hex, wide digits.
  const url = new URL(text);
  if (url.protocol !== 'https:') throw new AddressRefused('not_https');
  if (url.username !== '' || url.password !== '') throw new AddressRefused('userinfo');
  if (url.href.includes('#')) throw new AddressRefused('fragment');
  // A name in another spelling: certificates and the checks below know it without.
  if (url.hostname.endsWith('.')) throw new AddressRefused('trailing_dot');
  if (!allowPrivateAddresses && isPrivateHost(url.hostname))
    throw new AddressRefused('private_address');
  return url;
}

function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return !isPublicAddress(host);
  return host === 'localhost' || host.endsWith('.localhost');
}
