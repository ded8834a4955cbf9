import { Refusal, type Provider, type SecretBox, type Violation } from '@heliograph/core';
import { saveProxy as storeProxy, toKeyPlace, type Db, type ProxySettings } from '@heliograph/db';
import { AddressRefused, parseCustomerUrl, type AddressRefusedReason } from '@heliograph/outbound';
import {
  parseCertificates,
  readClientCertificate,
  type ClientCertificate,
  type ClientCertificateFault,
} from '@heliograph/providers/client-certificate';
import { packProxySecret } from '@heliograph/providers/proxy-secret';

import { getApp, type AppName } from './get-app.ts';

export interface SaveProxyDeps {
  readonly db: Db;
  readonly secrets: SecretBox;
  readonly now: () => Date;
  /** Whether customers' proxies may be in our own networks. */
  readonly allowPrivateProxies: boolean;
}

/** A customer's proxy as an operator describes it. Files are PEM. */
export interface NewProxy extends Pick<
  ProxySettings,
  'schema' | 'brandId' | 'backendService' | 'goneOn' | 'retry' | 'ratePerSecond'
> {
  readonly provider: Provider;
  readonly url: string;
  readonly certificate?: string;
  readonly privateKey?: string;
  /** Of the key, where it is encrypted. */
  readonly privateKeyPassword?: string;
  readonly basicUsername?: string;
  readonly basicPassword?: string;
  readonly ca?: string;
}

/**
 * Sends the app's pushes by the proxy from now on. Refuses what can't work, naming every field that is wrong: to the sender, a rejected
 * certificate can look like a bad network.
 */
export async function saveProxy(
  deps: SaveProxyDeps,
  name: AppName,
  input: NewProxy,
): Promise<void> {
  const app = await getApp(deps.db, name);
  const violations: Violation[] = [];
  const url = readUrl(input.url, deps.allowPrivateProxies, violations);
  const client = readClient(input, deps.now(), violations);
  const basic = readBasic(input, violations);
  const caPem = readCa(input, violations);
  if (!hasIdentity(input)) violations.push(violate('certificateBase64', NO_IDENTITY));
  if (violations.length > 0 || url === undefined) throw refuse(violations);

  const { provider, schema, brandId, backendService, goneOn, retry, ratePerSecond } = input;
  const settings: ProxySettings = {
    url,
    schema,
    ...(brandId !== undefined && { brandId }),
    ...(backendService !== undefined && { backendService }),
    goneOn,
    retry,
    ...(caPem !== undefined && { caPem }),
    ...(basic !== undefined && { basicUsername: basic.username }),
    ...(client !== undefined && { certificate: toPublic(client) }),
    ...(ratePerSecond !== undefined && { ratePerSecond }),
  };
  const secret = packProxySecret({
    ...(client !== undefined && {
      certificatePem: client.certificatePem,
      privateKeyPem: client.privateKeyPem,
    }),
    ...(basic !== undefined && { basic }),
  });
  const sealedKey = deps.secrets.seal(secret, toKeyPlace(app.id, provider));
  await storeProxy(deps.db, { appRef: app.id, provider, settings, sealedKey });
}

function readUrl(
  text: string,
  allowPrivateAddresses: boolean,
  violations: Violation[],
): string | undefined {
  try {
    return parseCustomerUrl(text, { allowPrivateAddresses }).href;
  } catch (error) {
    if (!(error instanceof AddressRefused)) throw error;
    violations.push(violate('url', ADDRESS_HINTS[error.reason]));
    return undefined;
  }
}

function readClient(
  { certificate, privateKey, privateKeyPassword: password }: NewProxy,
  now: Date,
  violations: Violation[],
): ClientCertificate | undefined {
  if (certificate === undefined && privateKey === undefined) return undefined;
  if (certificate === undefined || privateKey === undefined) {
    const missing = certificate === undefined ? 'certificateBase64' : 'privateKeyBase64';
    violations.push(violate(missing, 'is missing: certificate and key come together'));
    return undefined;
  }
  const identity = { certificate, privateKey, ...(password !== undefined && { password }) };
  const read = readClientCertificate(identity);
  if (read.kind === 'fault') {
    violations.push(CERTIFICATE_VIOLATIONS[read.fault]);
    return undefined;
  }
  const { validFrom, validTo } = read.certificate;
  const refuseTime = (words: string, at: Date) =>
    violations.push(violate('certificateBase64', `${words} ${at.toISOString()}`));
  if (now < validFrom) refuseTime('is not valid before', validFrom);
  if (now >= validTo) refuseTime('has expired at', validTo);
  return read.certificate;
}

function readBasic({ basicUsername, basicPassword }: NewProxy, violations: Violation[]) {
  if (basicUsername === undefined && basicPassword === undefined) return undefined;
  if (basicUsername !== undefined && basicPassword !== undefined)
    return { username: basicUsername, password: basicPassword };
  const missing = basicUsername === undefined ? 'basicUsername' : 'basicPassword';
  violations.push(violate(missing, 'is missing: name and password come together'));
  return undefined;
}

function readCa({ ca }: NewProxy, violations: Violation[]): string | undefined {
  if (ca === undefined) return undefined;
  const certificates = parseCertificates(ca);
  if (certificates === undefined)
    violations.push(violate('caBase64', 'is not PEM with the certificates of authorities'));
  return certificates?.map((one) => one.toString()).join('');
}

/** Anybody could push in the name of one who has neither. */
function hasIdentity({ certificate, privateKey, basicUsername, basicPassword }: NewProxy): boolean {
  return [certificate, privateKey, basicUsername, basicPassword].some((one) => one !== undefined);
}

function toPublic({ commonName, fingerprint, validTo }: ClientCertificate) {
  return { commonName, fingerprint, validTo: validTo.toISOString() };
}

const NO_IDENTITY = 'is missing: a certificate with its key, or Basic, or both must be there';

const ADDRESS_HINTS: Readonly<Record<AddressRefusedReason, string>> = {
  not_a_url: 'is not a URL',
  not_https: 'must begin with https://',
  userinfo: 'must hold no name and no password',
  fragment: 'must hold no fragment',
  trailing_dot: 'must not have a host that ends in a dot',
  private_address: 'must have a public address',
};

const CERTIFICATE_VIOLATIONS: Readonly<Record<ClientCertificateFault, Violation>> = {
  unreadable_certificate: violate('certificateBase64', 'is not PEM with a certificate'),
  unreadable_key: violate('privateKeyBase64', 'is not PEM with a private key'),
  wrong_password: violate('privateKeyPassword', 'is not that of the encrypted key'),
  key_does_not_fit: violate('privateKeyBase64', 'does not fit the first certificate'),
  not_for_clients: violate(
    'certificateBase64',
    'is not for clients: its extended key usage lacks clientAuth',
  ),
  out_of_order: violate(
    'certificateBase64',
    'must begin with the client, and go on with who issued the one before',
  ),
  refused_by_tls: violate('certificateBase64', 'has a key that TLS takes no more'),
};

function violate(field: string, hint: string): Violation {
  return { fieldName: `requestObject.${field}`, hint };
}

function refuse(violations: readonly Violation[]): Refusal {
  const message = violations.map(({ fieldName, hint }) => `${fieldName} ${hint}.`).join(' ');
  return new Refusal('invalid_request', message, { violations });
}
