import {
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls';

/**
 * Trusts the public authorities, and the given one (PEM) beside them; shows `identity` to a server that asks. Made once:
 * it parses some hundred certificates.
 */
export function createTrust(
  ca: string | undefined,
  identity: SecureContextOptions = {},
): SecureContext {
  const trusted = ca === undefined ? {} : { ca: [...rootCertificates, ca] };
  return createSecureContext({ ...trusted, ...identity });
}
