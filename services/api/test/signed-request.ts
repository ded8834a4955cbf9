import { randomBytes, randomUUID } from 'node:crypto';
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { request as requestTls } from 'node:https';

import { signRequest, toAuthorization } from '@heliograph/core';
import { makeDevice } from '@heliograph/testing';

import type { TestApi } from './open-test-api.ts';

export interface SignedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: {
    readonly requestId: string;
    readonly error: { readonly status: number; readonly code: number; readonly message: string };
  };
}

export interface TestKey {
  readonly appId: string;
  readonly appRef: number;
  readonly developerKey: string;
  readonly secret: string;
}

/** An app of its own with a developer key of the carriers `acme.com` and `other`. */
export async function makeDeveloperKey(api: TestApi): Promise<TestKey> {
  const appId = randomUUID();
  const app = await api.post('/admin/app/create', { appId, appName: 'The App' });
  const answer = await api.post('/admin/app/developer-key/create', {
    appId,
    name: 'test',
    carriers: ['acme.com', 'other'],
  });
  const { developerKey, secret } = answer.body.responseObject as unknown as TestKey;
  return { appId, appRef: app.body.responseObject.id, developerKey, secret };
}

/** A user of the key's app, with a device and credentials that lead nowhere. */
export async function makeReceiver(api: TestApi, { appRef, appId }: TestKey): Promise<string> {
  const privateKeyBase64 = Buffer.from('a key').toString('base64');
  await api.post('/admin/app/android/update', { appId, projectId: 'p', privateKeyBase64 });
  return (await makeDevice(api.db, appRef, { provider: 'fcm' })).userId;
}

/** Where to send to; over TLS with the PEM of whom to trust. */
export interface Target {
  readonly url: string;
  readonly ca?: string;
}

export interface SignedOptions {
  readonly method?: string;
  readonly path: string;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly date?: string;
  readonly nonce?: string;
  /** What is signed where that is not what is sent. */
  readonly signed?: {
    readonly method?: string;
    readonly path?: string;
    readonly body?: string;
    readonly contentType?: string;
    readonly secret?: string;
    readonly date?: string;
    readonly nonce?: string;
  };
  readonly developerKey?: string;
  /** Writes the Authorization header, in place of the documented spelling. */
  readonly toHeader?: typeof toAuthorization;
  /** Replaces or, by undefined, removes headers. */
  readonly headers?: Record<string, string | readonly string[] | undefined>;
}

/** Signs a request and sends it just so, byte by byte. */
export async function callSigned(
  api: Target,
  key: Pick<TestKey, 'developerKey' | 'secret'>,
  options: SignedOptions,
): Promise<SignedAnswer> {
  const { method = 'POST', path, contentType = 'application/json', signed = {} } = options;
  const { toHeader = toAuthorization } = options;
  const { date = new Date().toUTCString(), nonce = randomBytes(12).toString('hex') } = options;
  const body = toText(options.body);
  const signature = signRequest({
    method: signed.method ?? method,
    uri: signed.path ?? path,
    body: Buffer.from(signed.body ?? body),
    contentType: signed.contentType ?? contentType,
    date: signed.date ?? date,
    nonce: signed.nonce ?? nonce,
    secret: signed.secret ?? key.secret,
  });
  const developerKey = options.developerKey ?? key.developerKey;
  const headers = {
    Authorization: toHeader({ key: developerKey, nonce, signature }),
    'X-M-Date': date,
    ...(body === '' ? {} : { 'Content-Type': contentType }),
    'Content-Length': Buffer.byteLength(body),
    ...options.headers,
  };
  return sendRaw(api, { method, path, body, headers: withoutUndefined(headers) });
}

function toText(body: unknown): string {
  if (body === undefined) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function withoutUndefined(headers: object): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

/** Sends a request without changing anything of it. */
export function sendRaw(
  api: Target,
  call: {
    readonly method: string;
    readonly path: string;
    readonly body?: string | Buffer;
    readonly headers?: OutgoingHttpHeaders;
  },
): Promise<SignedAnswer> {
  const { method, path, body = '', headers = {} } = call;
  return new Promise((resolve, reject) => {
    const open = api.url.startsWith('https:') ? requestTls : request;
    const options = { method, path, headers, agent: false, ca: api.ca };
    const outgoing = open(api.url, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          text,
          body: JSON.parse(text === '' ? 'null' : text),
        });
      });
    });
    outgoing.on('error', reject);
    // With a text Node would write the header in UTF-8 as well.
    outgoing.end(Buffer.from(body));
  });
}

/** A push that is accepted. */
export const PUSH_BODY = { appMessage: { content: 'Hello' }, push: { content: 'Knock' } };

export function pushTo(
  api: Target,
  key: TestKey,
  userId: string,
  options: Partial<SignedOptions> = {},
): Promise<SignedAnswer> {
  return callSigned(api, key, {
    path: `/api/1.0/push/${encodeURIComponent(userId)}@acme.com`,
    body: PUSH_BODY,
    ...options,
  });
}
