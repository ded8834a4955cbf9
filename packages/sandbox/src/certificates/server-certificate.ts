import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { createCertificate, type ServerUse } from './certificate.ts';

export const AUTHORITY_NAME = 'Heliograph sandbox CA';
const AUTHORITY_DAYS = 3650;
const SERVER_DAYS = 390;
const LOOPBACK: ServerUse = { names: ['localhost'], ips: ['127.0.0.1'] };

/** All PEM. The keys are EC P-256 in PKCS#8. */
export interface Authority {
  readonly caPem: string;
  readonly caKeyPem: string;
}

/** All PEM. */
export interface ServerCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

export function createAuthority(now: Date): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const caPem = createCertificate({
    commonName: AUTHORITY_NAME,
    publicKey,
    issuer: { commonName: AUTHORITY_NAME, publicKey },
    issuerKey: privateKey,
    days: AUTHORITY_DAYS,
    now,
    use: 'authority',
  });
  return { caPem, caKeyPem: toPem(privateKey) };
}

/** A server certificate signed by the authority, for `localhost` and 127.0.0.1 unless told otherwise. */
export function createServerCertificate(
  authority: Authority,
  now: Date,
  use: ServerUse = LOOPBACK,
): ServerCertificate {
  const issuerKey = createPrivateKey(authority.caKeyPem);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certPem = createCertificate({
    commonName: use.names[0] ?? 'localhost',
    publicKey,
    issuer: { commonName: AUTHORITY_NAME, publicKey: createPublicKey(issuerKey) },
    issuerKey,
    days: SERVER_DAYS,
    now,
    use,
  });
  return { certPem, keyPem: toPem(privateKey) };
}

export function toPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
