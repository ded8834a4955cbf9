import { createPrivateKey } from 'node:crypto';
import { findText, parseJson } from '../json.ts';

export interface ServiceAccount {
  readonly clientEmail: string;
  /** RSA, PEM. */
  readonly privateKey: string;
  /** The audience of what it signs. */
  readonly tokenUri: string;
}

/** Google's, for a file that names none. */
const DEFAULT_TOKEN_URI = 'https://oauth2.googleapis.com/token';

/** The account in an uploaded JSON file; undefined where nothing can be signed with it. */
export function findServiceAccount(file: Buffer): ServiceAccount | undefined {
  const json = parseJson(file.toString('utf8'));
  const clientEmail = findText(json, 'client_email');
  const privateKey = findText(json, 'private_key');
  if (!clientEmail || !privateKey || !isRsaKey(privateKey)) return undefined;
  return { clientEmail, privateKey, tokenUri: findText(json, 'token_uri') ?? DEFAULT_TOKEN_URI };
}

function isRsaKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}
