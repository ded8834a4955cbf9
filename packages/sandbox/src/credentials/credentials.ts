import { Buffer } from 'node:buffer';
import {
  createAuthority,
  createServerCertificate,
  type Authority,
  type ServerCertificate,
} from '../certificates/server-certificate.ts';
import { isObject, parseJson } from '../json.ts';
import { createApnsKey, toApnsKey, type ApnsKey } from './apns-key.ts';
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
    serviceAccount: await createServiceAccount(projectId),
  };
}

export function toCredentials({ bundle, apnsKey, serviceAccount }: Identity): Credentials {
  const { keyId, teamId, privateKeyBase64 } = apnsKey;
  const { projectId } = serviceAccount;
  return {
    apns: { bundle, keyId, teamId, privateKeyBase64 },
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

  return {
    bundle: text('apns', 'bundle'),
    authority,
    server: createServerCertificate(authority, new Date()),
    apnsKey: toApnsKey(text('apns', 'teamId'), text('apns', 'keyId'), decoded('apns')),
    serviceAccount: toServiceAccount(decoded('fcm')),
  };
}
