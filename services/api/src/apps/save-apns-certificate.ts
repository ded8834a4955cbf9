import { Refusal, type Environment } from '@heliograph/core';
import {
  packCertificateFile,
  readApnsCertificate,
  type ApnsCertificate,
  type CertificateFault,
  type CertificateFile,
} from '@heliograph/providers/certificate';

import type { AppName } from './get-app.ts';
import { saveAppCredential } from './save-app-credential.ts';
import type { VerifyDeps } from './verify-credential.ts';

export interface NewApnsCertificate extends CertificateFile {
  /** Of the app, where it is not the certificate's main topic. */
  readonly bundle?: string;
  /** Where the certificate does not say itself for which host it is. */
  readonly environment?: Environment;
  /** What an operator allows, over all dispatchers. */
  readonly ratePerSecond?: number;
  /** Whether APNs is asked first. */
  readonly verify: boolean;
}

/**
 * Replaces the app's credential for APNs with a certificate. Refuses one that can't serve, unlike a key: to the sender, a
 * rejected certificate can look like a bad network.
 */
export async function saveApnsCertificate(
  deps: VerifyDeps & { readonly now: () => Date },
  name: AppName,
  input: NewApnsCertificate,
): Promise<void> {
  const read = readApnsCertificate(input);
  if (read.kind === 'fault') throw refuse(FAULTS[read.fault]);

  const { certificate } = read;
  refuseOutOfTime(certificate, deps.now());
  const bundle = toBundle(certificate, input.bundle);
  const environment = toEnvironment(certificate, input.environment);
  const { commonName, topics, fingerprint, validTo } = certificate;
  await saveAppCredential(deps, name, {
    provider: 'apns',
    settings: {
      bundle,
      certificate: { commonName, topics, fingerprint, validTo: validTo.toISOString() },
      ...(input.ratePerSecond !== undefined && { ratePerSecond: input.ratePerSecond }),
    },
    environment,
    key: packCertificateFile(input),
    verify: input.verify,
  });
}

function refuseOutOfTime({ validFrom, validTo }: ApnsCertificate, now: Date): void {
  if (now < validFrom) throw refuse(`is not valid before ${validFrom.toISOString()}`);
  if (now >= validTo) throw refuse(`has expired at ${validTo.toISOString()}`);
}

function toBundle({ bundle, topics }: ApnsCertificate, wanted: string | undefined): string {
  const chosen = wanted ?? bundle;
  if (chosen === undefined) throw refuse('names no bundle id: give one in bundle');
  if (!topics.includes(chosen)) throw refuse(`is for ${topics.join(', ')}, not for this bundle`);
  return chosen;
}

function toEnvironment(
  { environment }: ApnsCertificate,
  wanted: Environment | undefined,
): Environment | null {
  if (environment !== undefined && wanted !== undefined && environment !== wanted)
    throw refuse(`is for ${environment}`);
  return wanted ?? environment ?? null;
}

const FAULTS: Readonly<Record<CertificateFault, string>> = {
  unreadable: 'is neither PEM with a certificate and its private key nor PKCS#12',
  wrong_password: 'has another password',
  legacy_encryption:
    'is encrypted in an old way; convert it: openssl pkcs12 -legacy -in old.p12 -nodes -out new.pem',
  key_does_not_fit: 'has a private key that does not fit',
  no_topics: 'is not one for pushes: no topic stands in it',
};

function refuse(words: string): Refusal {
  return new Refusal('invalid_request', `The certificate ${words}.`);
}
