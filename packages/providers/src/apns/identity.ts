import { createHash } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { Outcome } from '@heliograph/core';
import type { ApnsCredential } from '../credential.ts';
import { createTrust } from '../trust.ts';
import { readApnsCertificate, toTlsIdentity, type CertificateFile } from './certificate.ts';
import { findSigningKey, type SigningKey } from './signing-key.ts';

/** How a connection shows APNs whose it is: by a provider token with each push, or by a certificate in its handshake. */
export type ApnsIdentity = ApnsKeyIdentity | ApnsCertificateIdentity;

export interface ApnsKeyIdentity {
  readonly auth: 'token';
  /** Equal for credentials that may share a connection to a host. */
  readonly name: string;
  readonly key: SigningKey;
}

export interface ApnsCertificateIdentity {
  readonly auth: 'certificate';
  readonly name: string;
  /** What the connection shows, and whom it trusts. */
  readonly secureContext: SecureContext;
  readonly topics: readonly string[];
  readonly validToMs: number;
}

/** The credential, opened for connections; undefined where nothing can be proved with it. `ca` is for `createTrust`. */
export function toApnsIdentity(
  credential: ApnsCredential,
  ca: string | undefined,
): ApnsIdentity | undefined {
  if (credential.auth === 'certificate')
    return toCertificateIdentity(credential.certificateFile, ca);

  const key = findSigningKey(credential);
  if (!key) return undefined;
  const fingerprint = createHash('sha256').update(key.pem).digest('hex');
  return { auth: 'token', name: JSON.stringify([key.teamId, key.keyId, fingerprint]), key };
}

/** What APNs would refuse a push for, without asking it: its throughput shrinks with every such answer. */
export function findIdentityFault(
  identity: ApnsIdentity,
  bundle: string,
  nowMs: number,
): Outcome | undefined {
  if (identity.auth === 'token') return undefined;
  if (nowMs >= identity.validToMs) return CERTIFICATE_EXPIRED;
  return identity.topics.includes(bundle) ? undefined : TOPIC_NOT_IN_CERTIFICATE;
}

function toCertificateIdentity(
  file: CertificateFile,
  ca: string | undefined,
): ApnsCertificateIdentity | undefined {
  const read = readApnsCertificate(file);
  if (read.kind === 'fault') return undefined;
  const { fingerprint, topics, validTo } = read.certificate;
  return {
    auth: 'certificate',
    name: fingerprint,
    secureContext: createTrust(ca, toTlsIdentity(file)),
    topics,
    validToMs: validTo.getTime(),
  };
}

const CERTIFICATE_EXPIRED: Outcome = {
  kind: 'pause',
  reason: 'certificate_expired',
  scope: 'credential',
};
const TOPIC_NOT_IN_CERTIFICATE: Outcome = {
  kind: 'pause',
  reason: 'topic_not_in_certificate',
  scope: 'app',
};
