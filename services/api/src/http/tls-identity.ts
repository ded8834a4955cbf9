import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** What a TLS listener shows, both as PEM. */
export interface TlsIdentity {
  /** The certificate, and after it those of its authorities as far as callers need them. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Whose certificates callers must show, as PEM; undefined: they need none. */
  readonly clientCa?: Buffer | undefined;
}

/** Why it can't be served, as a clause about the `TLS_…_FILE`s. Its time may be over: some callers don't mind. */
export function findTlsMistake({ cert, key, clientCa }: TlsIdentity): string | undefined {
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
  return clientCa === undefined ? undefined : findAuthorityMistake(clientCa);
}

/** OpenSSL takes a file without any certificate for an authority of nobody. */
function findAuthorityMistake(clientCa: Buffer): string | undefined {
  try {
    return new X509Certificate(clientCa).ca
      ? undefined
      : 'TLS_CLIENT_CA_FILE holds a certificate that is none of an authority';
  } catch {
    return 'TLS_CLIENT_CA_FILE holds no certificate in PEM';
  }
}

/** The instant at which the certificate's time is over. */
export function toValidTo({ cert }: TlsIdentity): Date {
  return new Date(new X509Certificate(cert).validTo);
}
