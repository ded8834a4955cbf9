import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';

import { AddressRefused } from './address-refused.ts';
import { isPublicAddress } from './public-address.ts';

/** Answers with the public addresses among those found; where none is left, with AddressRefused. */
export function guardLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found, family) => {
      if (error) return callback(error, []);
      const addresses = toAddresses(found, family).filter(({ address }) =>
        isPublicAddress(address),
      );
      const [first] = addresses;
      if (first === undefined) return callback(new AddressRefused('private_address'), []);
      if (options.all === true) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}

function toAddresses(
  found: string | readonly LookupAddress[],
  family: number | undefined,
): readonly LookupAddress[] {
  if (typeof found !== 'string') return found;
  return [{ address: found, family: family ?? isIP(found) }];
}
