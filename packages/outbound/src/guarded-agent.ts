import { lookup as lookupBySystem } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { createSecureContext, rootCertificates } from 'node:tls';
import { Agent, buildConnector } from 'undici';

import { AddressRefused } from './address-refused.ts';
import { createDnsLookup } from './dns-lookup.ts';
import { guardLookup } from './guard-lookup.ts';
import { isPublicAddress } from './public-address.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** The second try waits twice as long; together they leave some time to connect. */
const DNS = { timeout: 1_200, tries: 2 };
/** Of several addresses the next one is tried then; node's own 250 ms are too short for the other side of the world. */
const NEXT_ADDRESS_AFTER_MS = 1_000;

export interface GuardedAgentOptions {
  /** For tests, and for installations whose customers are in the same network. */
  readonly allowPrivateAddresses: boolean;
  /** PEM, trusted beside the public authorities. */
  readonly ca?: readonly string[];
  /** PEM: what we show to a server that asks for a certificate. */
  readonly key?: string;
  readonly cert?: string;
  /** Per origin, at most. */
  readonly connections: number;
  /** How addresses are found; for tests. */
  readonly lookup?: LookupFunction;
}

/**
 * HTTP/1.1 to addresses that customers gave: TLS 1.2 at least, the server's certificate and name checked, redirects never followed, one
 * request at a time per connection, and a connection is kept only for who opened it. The address is checked when the connection is made, so a name
 * that leads elsewhere by then is caught: such a request fails with AddressRefused, and not a byte goes out. Throws where a key or a
 * certificate is unreadable, or they don't fit.
 */
export function createGuardedAgent(options: GuardedAgentOptions): Agent {
  const { allowPrivateAddresses, connections } = options;
  const connect = buildConnector({
    secureContext: toSecureContext(options),
    rejectUnauthorized: true,
    timeout: CONNECT_TIMEOUT_MS,
    lookup: toLookup(options),
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
  });
  return new Agent({
    connections,
    pipelining: 1,
    connect(target, callback) {
      // Node asks no lookup about what is an address already.
      if (
        !allowPrivateAddresses &&
        isIP(target.hostname) !== 0 &&
        !isPublicAddress(target.hostname)
      )
        return callback(new AddressRefused('private_address'), null);
      connect(target, (error, socket) => {
        if (error) return callback(error, null);
        // A server of TLS 1.3 refuses our certificate when the handshake is over, and then ends the connection: undici would tell the end alone.
        socket.once('error', (fault) => socket.destroy(fault));
        callback(null, socket);
      });
    },
  });
}

/** In a network of our own the system knows names that DNS does not. */
function toLookup({ allowPrivateAddresses, lookup }: GuardedAgentOptions): LookupFunction {
  if (allowPrivateAddresses) return lookup ?? lookupBySystem;
  return guardLookup(lookup ?? createDnsLookup(new Resolver(DNS)));
}

function toSecureContext({ ca = [], key, cert }: GuardedAgentOptions) {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ...(ca.length > 0 && { ca: [...rootCertificates, ...ca] }),
    ...(key !== undefined && { key }),
    ...(cert !== undefined && { cert }),
  });
}
