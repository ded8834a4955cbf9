import { Buffer } from 'node:buffer';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from 'node:crypto';
import { createCertificate } from '../certificates/certificate.ts';
import { AUTHORITY_NAME, toPem, type Authority } from '../certificates/server-certificate.ts';
import type { ApnsEnvironment } from './apns-key.ts';

/** Apple's are good for 13 months. */
const DAYS = 390;

export interface ApnsCertificateOptions {
  /** The app. */
  readonly bundle?: string;
  /** Its topics; absent: the bundle id, and that of its VoIP pushes. */
  readonly topics?: readonly string[];
  /** Absent: both, as Apple's "Sandbox & Production" ones. */
  readonly environment?: ApnsEnvironment;
  /** Of its life; negative: it has expired so long ago. */
  readonly days?: number;
}

/** A certificate for pushes, with its key, as a customer uploads it. All PEM. */
export interface ApnsCertificate {
  readonly bundle: string;
  readonly certPem: string;
  readonly keyPem: string;
  /** Base64 of certificate and key in one file. */
  readonly certificateBase64: string;
}

/** What the fake knows of a certificate that it has issued. */
export interface RegisteredApnsCertificate {
  readonly topics: readonly string[];
  readonly environments: readonly ApnsEnvironment[];
}

export interface IssuedApnsCertificate extends ApnsCertificate {
  readonly registered: RegisteredApnsCertificate;
}

export function createApnsCertificate(
  authority: Authority,
  options: ApnsCertificateOptions,
): IssuedApnsCertificate {
  const { bundle = 'com.example.app', days = DAYS } = options;
  const registered = toRegistered(bundle, options);
  const issuerKey = createPrivateKey(authority.caKeyPem);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certPem = createCertificate({
    commonName: `Apple Push Services: ${bundle}`,
    publicKey,
    issuer: { commonName: AUTHORITY_NAME, publicKey: createPublicKey(issuerKey) },
    issuerKey,
    days,
    now: new Date(),
    use: { bundle, ...registered },
  });
  return toIssued(bundle, certPem, toPem(privateKey), registered);
}

/** A certificate of the default kind from its file; undefined where its time is over. */
export function restoreApnsCertificate(
  bundle: string,
  file: string,
): IssuedApnsCertificate | undefined {
  const certPem = new X509Certificate(file).toString();
  if (new Date(new X509Certificate(file).validTo) < new Date()) return undefined;
  return toIssued(bundle, certPem, toPem(createPrivateKey(file)), toRegistered(bundle, {}));
}

function toRegistered(
  bundle: string,
  { topics, environment }: ApnsCertificateOptions,
): RegisteredApnsCertificate {
  return {
    topics: topics ?? [bundle, `${bundle}.voip`],
    environments: environment ? [environment] : ['development', 'production'],
  };
}

function toIssued(
  bundle: string,
  certPem: string,
  keyPem: string,
  registered: RegisteredApnsCertificate,
): IssuedApnsCertificate {
  const certificateBase64 = Buffer.from(certPem + keyPem).toString('base64');
  return { bundle, certPem, keyPem, certificateBase64, registered };
}

export function toFingerprint(certPem: string): string {
  return new X509Certificate(certPem).fingerprint256;
}
