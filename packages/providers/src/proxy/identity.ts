import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

import { AddressRefused, parseCustomerUrl } from '@heliograph/outbound';
import type { Pause } from '@heliograph/core';

import type { ProviderEndpoints, ProxyCredential } from '../credential.ts';

/** A proxy's credential, opened for connections. */
export interface ProxyIdentity {
  readonly url: URL;
  /** For TLS, all PEM. */
  readonly shown: { readonly key: string; readonly cert: string } | undefined;
  readonly ca: readonly string[];
  /** When the certificate's time is over; infinite without one. */
  readonly validToMs: number;
  readonly authorization: string | undefined;
}

/** Or why nothing can be sent with it. The endpoints' authority is trusted beside the credential's own. */
export function toProxyIdentity(
  credential: ProxyCredential,
  endpoints: ProviderEndpoints['proxy'],
): ProxyIdentity | Pause {
  const url = findUrl(credential, endpoints);
  if (url === undefined) return { kind: 'pause', reason: 'address_refused', scope: 'endpoint' };
  return findIdentity(url, credential, endpoints.ca) ?? UNUSABLE_KEY;
}

/** What the proxy would refuse a push for, without asking it. */
export function findProxyIdentityFault(
  { validToMs }: ProxyIdentity,
  nowMs: number,
): Pause | undefined {
  return nowMs >= validToMs ? CERTIFICATE_EXPIRED : undefined;
}

function findUrl(
  { url }: ProxyCredential,
  { allowPrivateAddresses }: ProviderEndpoints['proxy'],
): URL | undefined {
  try {
    return parseCustomerUrl(url, { allowPrivateAddresses });
  } catch (error) {
    if (error instanceof AddressRefused) return undefined;
    throw error;
  }
}

function findIdentity(
  url: URL,
  credential: ProxyCredential,
  ca: string | undefined,
): ProxyIdentity | undefined {
  const { privateKeyPem: key, certificatePem: cert, caPem, basic } = credential;
  const authorities = [ca, caPem].filter((pem) => pem !== undefined);
  const authorization = basic && toBasic(basic);
  const shared = { url, ca: authorities, authorization };
  if (!isReadable(authorities)) return undefined;
  if (key === undefined && cert === undefined)
    return { ...shared, shown: undefined, validToMs: Number.POSITIVE_INFINITY };
  if (key === undefined || cert === undefined) return undefined;

  const validToMs = findEnd(key, cert);
  return validToMs === undefined ? undefined : { ...shared, shown: { key, cert }, validToMs };
}

/** OpenSSL passes over what is no certificate. */
function isReadable(authorities: readonly string[]): boolean {
  try {
    return authorities.every((pem) => new X509Certificate(pem).raw.length > 0);
  } catch {
    return false;
  }
}

/** Of the certificate's time. Undefined where it or the key is unreadable, or they don't fit. */
function findEnd(key: string, cert: string): number | undefined {
  try {
    createSecureContext({ key, cert });
    // A key of another kind than the certificate's is no fault to OpenSSL.
    const leaf = new X509Certificate(cert);
    if (!leaf.checkPrivateKey(createPrivateKey(key))) return undefined;
    return new Date(leaf.validTo).getTime();
  } catch {
    return undefined;
  }
}

function toBasic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

const UNUSABLE_KEY: Pause = { kind: 'pause', reason: 'unusable_key', scope: 'credential' };
const CERTIFICATE_EXPIRED: Pause = {
  kind: 'pause',
  reason: 'certificate_expired',
  scope: 'credential',
};
