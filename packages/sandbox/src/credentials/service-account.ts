import { Buffer } from 'node:buffer';
import {
  createPublicKey,
  generateKeyPair,
  randomBytes,
  randomInt,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import { isObject, parseJson } from '../json.ts';

/** Where Google's clients post assertions, and the audience these must name. */
export const GOOGLE_TOKEN_URI = 'https://oauth2.googleapis.com/token';

/** A service account of a Firebase project, as a customer uploads it. */
export interface ServiceAccount {
  readonly projectId: string;
  readonly clientEmail: string;
  readonly keyId: string;
  /** The JSON file that the Firebase console would hand out. */
  readonly json: string;
  /** Base64 of the JSON file. */
  readonly privateKeyBase64: string;
}

/** What the fake keeps of an account: Google has the public half only. */
export interface RegisteredServiceAccount {
  readonly projectId: string;
  readonly clientEmail: string;
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

export async function createServiceAccount(projectId: string): Promise<ServiceAccount> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const clientEmail = `firebase-adminsdk-${randomBytes(3).toString('hex')}@${projectId}.iam.gserviceaccount.com`;
  const file = {
    type: 'service_account',
    project_id: projectId,
    private_key_id: randomBytes(20).toString('hex'),
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    client_email: clientEmail,
    client_id: `1${Array.from({ length: 20 }, () => randomInt(10)).join('')}`,
    auth_uri: 'https://accounts.google.com/o/oauth2/auth',
    token_uri: GOOGLE_TOKEN_URI,
    auth_provider_x509_cert_url: 'https://www.googleapis.com/oauth2/v1/certs',
    client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/${encodeURIComponent(clientEmail)}`,
    universe_domain: 'googleapis.com',
  };
  return toServiceAccount(`${JSON.stringify(file, null, 2)}\n`);
}

/** Throws if the text is not a service account file. */
export function toServiceAccount(json: string): ServiceAccount {
  return {
    projectId: field(json, 'project_id'),
    clientEmail: field(json, 'client_email'),
    keyId: field(json, 'private_key_id'),
    json,
    privateKeyBase64: Buffer.from(json).toString('base64'),
  };
}

export function toRegisteredServiceAccount(account: ServiceAccount): RegisteredServiceAccount {
  const { projectId, clientEmail, keyId } = account;
  const publicKey = createPublicKey(field(account.json, 'private_key'));
  return { projectId, clientEmail, keyId, publicKey };
}

function field(json: string, name: string): string {
  const file = parseJson(json);
  const value = isObject(file) ? file[name] : undefined;
  if (typeof value !== 'string') throw new Error(`The service account has no ${name}.`);
  return value;
}
