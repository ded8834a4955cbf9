import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createCertificate } from '../certificates/certificate.ts';
import { AUTHORITY_NAME, toPem, type Authority } from '../certificates/server-certificate.ts';

const DAYS = 390;

export interface ClientCertificateOptions {
  readonly commonName?: string;
  /** Of its life; negative: it has expired so long ago. */
  readonly days?: number;
}

/** What a client shows to a proxy, or LivePerson to us. All PEM, the key EC P-256 in PKCS#8. */
export interface ClientCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

export function createClientCertificate(
  authority: Authority,
  { commonName = 'Heliograph sandbox client', days = DAYS }: ClientCertificateOptions,
): ClientCertificate {
  const issuerKey = createPrivateKey(authority.caKeyPem);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certPem = createCertificate({
    commonName,
    publicKey,
    issuer: { commonName: AUTHORITY_NAME, publicKey: createPublicKey(issuerKey) },
    issuerKey,
    days,
    now: new Date(),
    use: 'client',
  });
  return { certPem, keyPem: toPem(privateKey) };
}
