import { Buffer } from 'node:buffer';
import { sign } from 'node:crypto';
import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { ServiceAccount } from '../credentials/service-account.ts';
import { isObject, parseJson } from '../json.ts';

export interface HttpsAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: unknown;
}

/** Over HTTP/1.1 on a connection of its own; rejects with the socket's error. */
export function post(
  url: string,
  caPem: string,
  headers: Record<string, string>,
  body: string,
): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ ca: caPem, keepAlive: false });
    const sent = httpsRequest(url, { method: 'POST', headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status, headers: received } = response;
        resolve({ status, headers: received, text, body: parseJson(text) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The assertion of the jwt-bearer grant; `claims` and `header` override. */
export function signAssertion(
  account: Pick<ServiceAccount, 'json'>,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): string {
  const file = parseJson(account.json);
  if (!isObject(file)) throw new Error('Not a service account.');
  const iat = Math.floor(Date.now() / 1000);
  const parts = [
    { alg: 'RS256', typ: 'JWT', kid: file['private_key_id'], ...header },
    {
      iss: file['client_email'],
      scope: 'https://www.googleapis.com/auth/firebase.messaging',
      aud: file['token_uri'],
      iat,
      exp: iat + 3600,
      ...claims,
    },
  ];
  const signedPart = parts
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(signedPart), String(file['private_key']));
  return `${signedPart}.${signature.toString('base64url')}`;
}

export function postAssertion(url: string, caPem: string, assertion: string): Promise<HttpsAnswer> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion,
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return post(url, caPem, headers, form.toString());
}

/** An access token for the account. */
export async function mint(
  url: string,
  caPem: string,
  account: Pick<ServiceAccount, 'json'>,
): Promise<string> {
  const { body } = await postAssertion(url, caPem, signAssertion(account));
  if (isObject(body) && typeof body['access_token'] === 'string') return body['access_token'];
  throw new Error(`No access token: ${JSON.stringify(body)}`);
}
