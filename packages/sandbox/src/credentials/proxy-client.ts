import { Buffer } from 'node:buffer';
import { randomBytes, X509Certificate } from 'node:crypto';
import type { Authority } from '../certificates/server-certificate.ts';
import { isObject } from '../json.ts';
import { createClientCertificate, type ClientCertificate } from './client-certificate.ts';
import type { Credentials } from './credentials.ts';

const USERNAME = 'heliograph';

/** Whom the fake proxy takes pushes from. */
export interface ProxyClient extends ClientCertificate {
  readonly username: string;
  readonly password: string;
}

export function createProxyClient(authority: Authority): ProxyClient {
  const password = randomBytes(12).toString('base64url');
  return { ...createClientCertificate(authority, {}), username: USERNAME, password };
}

/** Undefined where a folder of an older version has none, or its time is over. */
export function restoreProxyClient(section: unknown): ProxyClient | undefined {
  if (!isObject(section)) return undefined;
  const { privateKeyBase64, certificateBase64 } = section;
  const { basicUsername: username, basicPassword: password } = section;
  if (typeof username !== 'string' || typeof password !== 'string') return undefined;
  if (typeof privateKeyBase64 !== 'string' || typeof certificateBase64 !== 'string')
    return undefined;

  const certPem = fromBase64(certificateBase64);
  if (new Date(new X509Certificate(certPem).validTo) < new Date()) return undefined;
  return { certPem, keyPem: fromBase64(privateKeyBase64), username, password };
}

export function toProxyCredentials(
  { certPem, keyPem, username, password }: ProxyClient,
  { caPem }: Authority,
): Credentials['proxy'] {
  return {
    privateKeyBase64: toBase64(keyPem),
    certificateBase64: toBase64(certPem),
    caBase64: toBase64(caPem),
    basicUsername: username,
    basicPassword: password,
  };
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function fromBase64(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}
