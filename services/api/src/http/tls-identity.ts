import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** What a TLS listener shows, both as PEM. */
export interface TlsIdentity {
  /** The certificate, and after it those of its authorities as far as callers need them. */
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Why it can't be served, as a clause about `TLS_CERT_FILE` and `TLS_KEY_FILE`. Its time may be over: some callers don't mind. */
export function findTlsMistake({ cert, key }: TlsIdentity): string | undefined {
  try {
    createSecureContext({ cert });
  } catch {
    return 'TLS_CERT_FILE holds no certificate in PEM';
  }
  try {
    createSecureContext({ key });
  } catch {
    return 'TLS_KEY_FILE holds no private key in PEM, or one with a password';
  }
  try {
    createSecureContext({ cert, key });
  } catch {
    return 'TLS_KEY_FILE is not the key of the certificate in TLS_CERT_FILE';
  }
  return undefined;
}

/** The instant at which the certificate's time is over. */
export function toValidTo({ cert }: TlsIdentity): Date {
  return new Date(new X509Certificate(cert).validTo);
}
