import { Buffer } from 'node:buffer';
import {
  createAuthority,
  createServerCertificate,
  type Authority,
  type ServerCertificate,
} from '../certificates/server-certificate.ts';
import { isObject, parseJson } from '../json.ts';
import {
  createApnsCertificate,
  restoreApnsCertificate,
  type IssuedApnsCertificate,
} from './apns-certificate.ts';
import { createApnsKey, toApnsKey, type ApnsKey } from './apns-key.ts';
import {
  createProxyClient,
  restoreProxyClient,
  toProxyCredentials,
  type ProxyClient,
} from './proxy-client.ts';
import { createServiceAccount, toServiceAccount, type ServiceAccount } from './service-account.ts';

/** What a customer would upload to send through the sandbox; the content of credentials.json. */
export interface Credentials {
  readonly apns: {
    readonly bundle: string;
    readonly keyId: string;
    readonly teamId: string;
    /** Base64 of the .p8 file. */
    readonly privateKeyBase64: string;
  };
  readonly apnsCertificate: {
    readonly bundle: string;
    /** Base64 of a PEM file with certificate and key. */
    readonly certificateBase64: string;
  };
  /** For the fake proxy: a client's key and certificate, the CA of the server, and Basic. */
  readonly proxy: {
    /** Base64 of PEM. */
    readonly privateKeyBase64: string;
    readonly certificateBase64: string;
    readonly caBase64: string;
    readonly basicUsername: string;
    readonly basicPassword: string;
  };
  readonly fcm: {
    readonly projectId: string;
    /** Base64 of the service account's JSON file. */
    readonly privateKeyBase64: string;
  };
}

export interface Identity {
  readonly bundle: string;
  readonly authority: Authority;
  readonly server: ServerCertificate;
  readonly apnsKey: ApnsKey;
  readonly apnsCertificate: IssuedApnsCertificate;
  readonly proxyClient: ProxyClient;
  readonly serviceAccount: ServiceAccount;
}

export async function createIdentity(bundle: string, projectId: string): Promise<Identity> {
  const now = new Date();
  const authority = createAuthority(now);
  return {
    bundle,
    authority,
    server: createServerCertificate(authority, now),
    apnsKey: createApnsKey({}),
    apnsCertificate: createApnsCertificate(authority, { bundle }),
    proxyClient: createProxyClient(authority),
    serviceAccount: await createServiceAccount(projectId),
  };
}

export function toCredentials(identity: Identity): Credentials {
  const { bundle, apnsKey, apnsCertificate, proxyClient, serviceAccount } = identity;
  const { keyId, teamId, privateKeyBase64 } = apnsKey;
  const { projectId } = serviceAccount;
  return {
    apns: { bundle, keyId, teamId, privateKeyBase64 },
    apnsCertificate: { bundle, certificateBase64: apnsCertificate.certificateBase64 },
    proxy: toProxyCredentials(proxyClient, identity.authority),
    fcm: { projectId, privateKeyBase64: serviceAccount.privateKeyBase64 },
  };
}

/** Brings an identity back from its files. The server certificate is new each time: it is short-lived. */
export function restoreIdentity(authority: Authority, credentialsJson: string): Identity {
  const file = parseJson(credentialsJson);
  const text = (provider: string, name: string): string => {
    const section = isObject(file) ? file[provider] : undefined;
    const value = isObject(section) ? section[name] : undefined;
    if (typeof value !== 'string') throw new Error(`credentials.json has no ${provider}.${name}.`);
    return value;
  };
  const decoded = (provider: string) =>
    Buffer.from(text(provider, 'privateKeyBase64'), 'base64').toString();

  const bundle = text('apns', 'bundle');
  return {
    bundle,
    authority,
    server: createServerCertificate(authority, new Date()),
    apnsKey: toApnsKey(text('apns', 'teamId'), text('apns', 'keyId'), decoded('apns')),
    apnsCertificate:
      restored(bundle, isObject(file) ? file['apnsCertificate'] : undefined) ??
      createApnsCertificate(authority, { bundle }),
    proxyClient:
      restoreProxyClient(isObject(file) ? file['proxy'] : undefined) ??
      createProxyClient(authority),
    serviceAccount: toServiceAccount(decoded('fcm')),
  };
}

/** Folders of older versions have none. */
function restored(bundle: string, section: unknown): IssuedApnsCertificate | undefined {
  const base64 = isObject(section) ? section['certificateBase64'] : undefined;
  if (typeof base64 !== 'string') return undefined;
  return restoreApnsCertificate(bundle, Buffer.from(base64, 'base64').toString());
}
