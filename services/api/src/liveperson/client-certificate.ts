import { X509Certificate } from 'node:crypto';

import { Refusal } from '@heliograph/core';
import type { SenderCertificate } from '@heliograph/db';

/** RFC 5280: what a certificate with an extended key usage must name for TLS to take it from a client. */
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
const MAX_COMMON_NAME = 255;

/**
 * A certificate that is to be known in the handshake. Refuses what can't be: whatever is wrong with it would otherwise show as a
 * connection that breaks, to the sender alone. Who signed it is for the listener to judge.
 */
export function readClientCertificate(pem: string, now: Date): SenderCertificate {
  if (pem.includes('PRIVATE KEY-----'))
    throw refuse('must come alone: its private key stays with the sender');
  if (pem.split('-----BEGIN ').length > 2)
    throw refuse('must come alone, without those that signed it');
  const certificate = parse(pem);
  if (certificate.ca) throw refuse("is an authority's: give the one that the sender shows");
  // Node's `keyUsage` is the extended one.
  const uses: readonly string[] | undefined = certificate.keyUsage;
  if (uses !== undefined && uses.length > 0 && !uses.includes(CLIENT_AUTHENTICATION))
    throw refuse('is not for clients: its extended key usage lacks clientAuth');

  const [validFrom, validTo] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  if (now < validFrom) throw refuse(`is not valid before ${validFrom.toISOString()}`);
  if (now >= validTo) throw refuse(`has expired at ${validTo.toISOString()}`);
  return { fingerprint: toFingerprint(certificate), commonName: findName(certificate), validTo };
}

/** SHA-256 of the whole certificate. */
export function toFingerprint(certificate: X509Certificate): Buffer {
  return Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex');
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw refuse('is not PEM', error);
  }
}

function findName({ subject }: X509Certificate): string {
  const line = subject.split('\n').find((one) => one.startsWith('CN='));
  return (line ?? '').slice('CN='.length, 'CN='.length + MAX_COMMON_NAME);
}

function refuse(words: string, cause?: unknown): Refusal {
  return new Refusal('invalid_request', `The certificate ${words}.`, { cause });
}
