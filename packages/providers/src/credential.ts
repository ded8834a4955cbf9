import type { Environment } from '@heliograph/core';
import type { CertificateFile } from './apns/certificate.ts';

/** An app's credential for one provider, opened for use. A change has a higher `version`. */
export type Credential = DirectCredential | ProxyCredential;

/** For the provider itself; the other way is a customer's proxy. */
export type DirectCredential = ApnsCredential | FcmCredential;

export type ApnsCredential = ApnsKeyCredential | ApnsCertificateCredential;

interface ApnsApp {
  readonly provider: 'apns';
  readonly route: 'direct';
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
  readonly route: 'direct';
  readonly id: string;
  readonly version: number;
  readonly projectId: string;
  /** The service account's JSON file. */
  readonly serviceAccount: Buffer;
  /** What an operator allows; undefined: what Google allows the project. */
  readonly ratePerSecond?: number;
}

/** The customer's own server, which hands the push on: pushes are POSTed to it as LivePerson documents it. */
export interface ProxyCredential {
  /** Of the devices behind the proxy. */
  readonly provider: 'apns' | 'fcm';
  readonly route: 'proxy';
  readonly id: string;
  readonly version: number;
  /** https; a customer's input. */
  readonly url: string;
  /** PEM, with its certificate; both or none. */
  readonly privateKeyPem?: string;
  readonly certificatePem?: string;
  /** PEM, trusted beside the public authorities. */
  readonly caPem?: string;
  readonly basic?: { readonly username: string; readonly password: string };
  /** Which of the documented bodies is sent; that of 2017 lacks `dialogId`, `badge` and `sequence`. */
  readonly schema: '2017' | 'current';
  /** Where a message does not say it itself. */
  readonly brandId?: string;
  readonly backendService?: string;
  /** The statuses by which this proxy says that a token is dead, 404 and 410 at most. */
  readonly goneOn: readonly number[];
  /** What follows on 5xx and lost connections: every 10 s, four attempts in all, as documented; or longer and longer until the expiry. */
  readonly retry: 'documented' | 'until_expiry';
  /** What an operator allows; undefined: no limit of ours. */
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
  readonly proxy: {
    /** Customers' proxies may be in our own networks; for tests and closed installations. */
    readonly allowPrivateAddresses: boolean;
    /** PEM, trusted beside the public authorities and a proxy's own. */
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
  proxy: { allowPrivateAddresses: false },
};
