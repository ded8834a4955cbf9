import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** The key and certificate by which a client shows who it is, as a customer uploads them. */
export interface ClientIdentity {
  /** PEM: the client's certificate first, then those that lead to its authority, each issued by the next. */
  readonly certificate: string;
  /** PEM, encrypted or not. */
  readonly privateKey: string;
  /** Of the key, where it is encrypted. */
  readonly password?: string;
}

/** What the certificate says of itself, and both files as they are to be used: the key decrypted. */
export interface ClientCertificate {
  readonly commonName: string;
  /** SHA-256, in hex. */
  readonly fingerprint: string;
  /** The time in which it and what leads to its authority are all valid. */
  readonly validFrom: Date;
  readonly validTo: Date;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export type ClientCertificateFault =
  | 'unreadable_certificate'
  | 'unreadable_key'
  /** Or there is none, and the key is encrypted. */
  | 'wrong_password'
  | 'key_does_not_fit'
  /** Its extended key usage is another one than to authenticate clients. */
  | 'not_for_clients'
  /** A certificate was not issued by the one that follows it. */
  | 'out_of_order'
  /** A kind or size of key that TLS takes no more. */
  | 'refused_by_tls';

export type ReadClientCertificate =
  | { readonly kind: 'certificate'; readonly certificate: ClientCertificate }
  | { readonly kind: 'fault'; readonly fault: ClientCertificateFault };

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
/** Extended key usages: to authenticate clients, and any. */
const FOR_CLIENTS = new Set(['1.3.6.1.5.5.7.3.2', '2.5.29.37.0']);

/** Reads them as the sender will, so that what is wrong shows before the first push. Its time may not have come, or be over. */
export function readClientCertificate(identity: ClientIdentity): ReadClientCertificate {
  const chain = parseCertificates(identity.certificate);
  const [leaf] = chain ?? [];
  if (!chain || !leaf) return asFault('unreadable_certificate');
  const key = parseKey(identity);
  if (typeof key === 'string') return asFault(key);

  if (!leaf.checkPrivateKey(key)) return asFault('key_does_not_fit');
  if (!isForClients(leaf)) return asFault('not_for_clients');
  if (!isInOrder(chain)) return asFault('out_of_order');
  const certificatePem = chain.map((one) => one.toString()).join('');
  const privateKeyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  if (!isTakenByTls(certificatePem, privateKeyPem)) return asFault('refused_by_tls');

  const certificate = {
    commonName: toCommonName(leaf),
    fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    validFrom: new Date(Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom)))),
    validTo: new Date(Math.min(...chain.map(({ validTo }) => Date.parse(validTo)))),
    certificatePem,
    privateKeyPem,
  };
  return { kind: 'certificate', certificate };
}

/** The certificates of a PEM file in their order; undefined where there is none, or one can't be read. */
export function parseCertificates(pem: string): readonly X509Certificate[] | undefined {
  try {
    const certificates = Array.from(
      pem.matchAll(CERTIFICATES),
      ([one]) => new X509Certificate(one),
    );
    return certificates.length > 0 ? certificates : undefined;
  } catch {
    return undefined;
  }
}

function parseKey({
  privateKey,
  password,
}: ClientIdentity): KeyObject | 'unreadable_key' | 'wrong_password' {
  try {
    const passphrase = password === undefined ? {} : { passphrase: password };
    return createPrivateKey({ key: privateKey, format: 'pem', ...passphrase });
  } catch {
    return /ENCRYPTED/.test(privateKey) ? 'wrong_password' : 'unreadable_key';
  }
}

/** One that says nothing of its use may be used for everything. */
function isForClients({ keyUsage }: X509Certificate): boolean {
  // Undefined where there is none, whatever the types say.
  const usages: readonly string[] | undefined = keyUsage;
  return usages === undefined || usages.some((usage) => FOR_CLIENTS.has(usage));
}

function isInOrder(chain: readonly X509Certificate[]): boolean {
  return chain.every((one, n) => {
    const issuer = chain[n + 1];
    return issuer === undefined || (one.checkIssued(issuer) && one.verify(issuer.publicKey));
  });
}

function isTakenByTls(cert: string, key: string): boolean {
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
}

function toCommonName({ subject }: X509Certificate): string {
  const line = subject.split('\n').find((one) => one.startsWith('CN='));
  return line?.slice('CN='.length) ?? '';
}

function asFault(fault: ClientCertificateFault): ReadClientCertificate {
  return { kind: 'fault', fault };
}
