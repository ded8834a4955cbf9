import type { Environment, Provider } from '@heliograph/core';
import type { ColumnType, Generated } from 'kysely';

export interface CredentialTables {
  credentials: CredentialsTable;
  standbyCredentials: StandbyCredentialsTable;
  credentialChecks: CredentialChecksTable;
  certificateWarnings: CertificateWarningsTable;
}

interface PacedSettings {
  /** What an operator allows, over all dispatchers. */
  readonly ratePerSecond?: number;
}

export type ApnsSettings = ApnsKeySettings | ApnsCertificateSettings;

export interface ApnsKeySettings extends PacedSettings {
  readonly bundle: string;
  readonly keyId: string;
  readonly teamId: string;
}

export interface ApnsCertificateSettings extends PacedSettings {
  readonly bundle: string;
  /** What the certificate says of itself. */
  readonly certificate: {
    readonly commonName: string;
    readonly topics: readonly string[];
    /** SHA-256, in hex. */
    readonly fingerprint: string;
    /** ISO 8601. */
    readonly validTo: string;
  };
}

export interface FcmSettings extends PacedSettings {
  readonly projectId: string;
}

export type DirectSettings = ApnsSettings | FcmSettings;

/** The customer's own server, which pushes on. */
export interface ProxySettings extends PacedSettings {
  readonly url: string;
  /** Which of the documented bodies it takes. */
  readonly schema: '2017' | 'current';
  /** Where a message does not say it itself. */
  readonly brandId?: string;
  readonly backendService?: string;
  /** The statuses by which it says that a push token is dead. */
  readonly goneOn: readonly number[];
  readonly retry: 'documented' | 'until_expiry';
  /** PEM, trusted beside the public authorities. */
  readonly caPem?: string;
  readonly basicUsername?: string;
  /** What the client certificate says of itself; absent where there is none. */
  readonly certificate?: {
    readonly commonName: string;
    /** SHA-256, in hex. */
    readonly fingerprint: string;
    /** ISO 8601. */
    readonly validTo: string;
  };
}

/** To the provider itself, or to a customer's proxy. */
export type RouteName = 'direct' | 'proxy';

interface CredentialColumns {
  appRef: number;
  provider: Provider;
  environment: Environment | null;
  sealedKey: Buffer;
  updatedAt: Generated<Date>;
}

interface CredentialsTable extends CredentialColumns {
  version: Generated<number>;
  route: Generated<RouteName>;
  settings: ColumnType<DirectSettings | ProxySettings, string, string>;
}

interface StandbyCredentialsTable extends CredentialColumns {
  settings: ColumnType<DirectSettings, string, string>;
}

export type CheckVerdict = 'accepted' | 'refused' | 'unanswered';

interface CredentialChecksTable {
  id: string;
  provider: Provider;
  environment: Environment | null;
  settings: ColumnType<DirectSettings, string, string>;
  sealedKey: Buffer | null;
  expiresAt: Date;
  leaseUntil: Generated<Date | null>;
  leaseEpoch: Generated<number>;
  verdict: Generated<CheckVerdict | null>;
  reason: Generated<string | null>;
}

interface CertificateWarningsTable {
  fingerprint: Buffer;
  validTo: Date;
  thresholdDays: number;
  toldAt: Date;
}
