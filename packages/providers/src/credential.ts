import type { Environment } from '@heliograph/core';
import type { CertificateFile } from './apns/certificate.ts';

/** An app's credential for one provider, opened for use. A change has a higher `version`. */
export type Credential = ApnsCredential | FcmCredential;

export type ApnsCredential = ApnsKeyCredential | ApnsCertificateCredential;

interface ApnsApp {
  readonly provider: 'apns';
  readonly id: string;
  readonly version: number;
  /** The environment that the credential is bound to; undefined: it works on both hosts. */
  readonly environment: Environment | undefined;
  /** The bundle id, `apns-topic` of an ordinary push. */
  readonly bundle: string;
  /** What an operator allows; undefined: no limit of ours. */
  readonly ratePerSecond?: number;
}

export interface ApnsKeyCredential extends ApnsApp {
  readonly auth: 'token';
  readonly keyId: string;
  readonly teamId: string;
  /** The .p8 file: PKCS#8 PEM, EC P-256. */
  readonly privateKey: Buffer;
}

export interface ApnsCertificateCredential extends ApnsApp {
  readonly auth: 'certificate';
  readonly certificateFile: CertificateFile;
}

export interface FcmCredential {
  readonly provider: 'fcm';
  readonly id: string;
  readonly version: number;
  readonly projectId: string;
  /** The service account's JSON file. */
  readonly serviceAccount: Buffer;
  /** What an operator allows; undefined: what Google allows the project. */
  readonly ratePerSecond?: number;
}

/** Where the providers are. Process configuration only, never a customer's input. */
export interface ProviderEndpoints {
  readonly apns: {
    /** https URL */
    readonly production: string;
    readonly development: string;
    /** PEM, trusted beside the public authorities. */
    readonly ca?: string;
  };
  readonly fcm: {
    readonly url: string;
    /** Where access tokens are fetched, whatever the service account says. */
    readonly tokenUrl: string;
    /** A service account with another `token_uri` is refused: the file is a customer's input. */
    readonly allowedTokenUris: readonly string[];
    readonly ca?: string;
  };
}

export const PRODUCTION_ENDPOINTS: ProviderEndpoints = {
  apns: {
    production: 'https://api.push.apple.com',
    development: 'https://api.sandbox.push.apple.com',
  },
  fcm: {
    url: 'https://fcm.googleapis.com',
    tokenUrl: 'https://oauth2.googleapis.com/token',
    allowedTokenUris: [
      'https://oauth2.googleapis.com/token',
      // In files of old keys; Google takes them at the same place.
      'https://accounts.google.com/o/oauth2/token',
      'https://www.googleapis.com/oauth2/v4/token',
    ],
  },
};
