import { findField, findText, parseJson } from '../json.ts';

/** What of a customer's proxy is sealed: the client's key with its certificate, or Basic credentials, or both. */
export interface ProxySecret {
  /** PEM */
  readonly privateKeyPem?: string;
  /** PEM: the client's certificate first, then those that lead to its authority. */
  readonly certificatePem?: string;
  readonly basic?: { readonly username: string; readonly password: string };
}

/** As it is sealed. */
export function packProxySecret(secret: ProxySecret): Buffer {
  return Buffer.from(JSON.stringify(secret));
}

/** Undefined for what `packProxySecret` did not make. */
export function unpackProxySecret(packed: Buffer): ProxySecret | undefined {
  const json = parseJson(packed.toString('utf8'));
  const privateKeyPem = findText(json, 'privateKeyPem');
  const certificatePem = findText(json, 'certificatePem');
  const basic = findField(json, 'basic');
  const username = findText(basic, 'username');
  const password = findText(basic, 'password');
  const hasKey = privateKeyPem !== undefined && certificatePem !== undefined;
  const hasBasic = username !== undefined && password !== undefined;
  if (!hasKey && !hasBasic) return undefined;
  return {
    ...(hasKey && { privateKeyPem, certificatePem }),
    ...(hasBasic && { basic: { username, password } }),
  };
}
