import { Buffer } from 'node:buffer';
import { sign } from 'node:crypto';
import type { Credentials } from '../credentials/credentials.ts';
import { openH2Client, type H2Answer, type H2Client } from './h2-client.ts';

const ALERT = JSON.stringify({ aps: { alert: 'Hello' } });

export interface Push {
  readonly token: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string;
}

export interface ApnsClient extends H2Client {
  push(push: Push): Promise<H2Answer & { readonly reason: string | undefined }>;
}

type KeyFields = Pick<Credentials['apns'], 'keyId' | 'teamId' | 'privateKeyBase64'>;

/** An ES256 provider token; `claims` and `header` override. */
export function signProviderToken(
  key: KeyFields,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): string {
  const iat = Math.floor(Date.now() / 1000);
  const signedPart = [
    { alg: 'ES256', kid: key.keyId, ...header },
    { iss: key.teamId, iat, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(signedPart), {
    key: Buffer.from(key.privateKeyBase64, 'base64').toString(),
    dsaEncoding: 'ieee-p1363',
  });
  return `bearer ${signedPart}.${signature.toString('base64url')}`;
}

export async function openApnsClient(
  url: string,
  caPem: string,
  credentials: Credentials['apns'],
): Promise<ApnsClient> {
  return toApnsClient(await openH2Client(url, caPem), credentials);
}

export function toApnsClient(client: H2Client, credentials: Credentials['apns']): ApnsClient {
  const authorization = signProviderToken(credentials);
  const push = async ({ token, headers, body = ALERT }: Push) => {
    const defaults = { authorization, 'apns-topic': credentials.bundle, 'apns-push-type': 'alert' };
    const all = { ':path': `/3/device/${token}`, ...defaults, ...headers };
    const answer = await client.request(
      // An empty value stands for a header left out.
      Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
      body,
    );
    return { ...answer, reason: /"reason":"(\w+)"/.exec(answer.body)?.[1] };
  };
  return { ...client, push };
}
