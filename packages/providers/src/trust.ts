import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/** Trusts the public authorities, and the given one (PEM) beside them. Made once: it parses some hundred certificates. */
export function createTrust(ca: string | undefined): SecureContext {
  return createSecureContext(ca === undefined ? {} : { ca: [...rootCertificates, ca] });
}
