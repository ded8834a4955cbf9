import { createHash, randomBytes } from 'node:crypto';

import { signRequest, toAuthorization, toContentMd5, toStringToSign } from '@heliograph/core';

/** A signed request as the api sees it, and what has to be computed for it at least. */
export interface SignedSample {
  readonly req: {
    readonly method: string;
    readonly headersDistinct: Readonly<Record<string, readonly string[]>>;
  };
  readonly requestTarget: string;
  readonly body: Buffer;
  readonly stringToSign: string;
}

export const SECRET = randomBytes(32).toString('base64url');
export const OTHER_SECRET = randomBytes(32).toString('base64url');
const BODY_BYTES = 1024;

/** Requests of a kilobyte, no two of them alike; `signature` may spoil the right one. */
export function makeSamples(
  count: number,
  now: Date,
  spoil: (signature: string) => string = (signature) => signature,
): readonly SignedSample[] {
  return Array.from({ length: count }, () => makeSample(now, spoil));
}

function makeSample(now: Date, spoil: (signature: string) => string): SignedSample {
  const nonce = randomBytes(16).toString('hex');
  const requestTarget = `/api/1.0/push/user-${nonce.slice(0, 8)}@carrier.example.com`;
  const body = makeBody();
  const request = {
    method: 'POST',
    uri: requestTarget,
    contentType: 'application/json',
    date: now.toUTCString(),
    nonce,
  };
  const signature = spoil(signRequest({ ...request, body, secret: SECRET }));
  return {
    req: {
      method: request.method,
      headersDistinct: {
        host: ['push.example.com'],
        authorization: [toAuthorization({ key: 'bench-developer-key', nonce, signature })],
        'x-m-date': [request.date],
        'content-type': [request.contentType],
        'content-length': [String(body.length)],
      },
    },
    requestTarget,
    body,
    stringToSign: toStringToSign({ ...request, contentMd5: toContentMd5(body) }),
  };
}

function makeBody(): Buffer {
  const frame = JSON.stringify({ appMessage: { content: '' } }).length;
  const filler = createHash('sha512').update(randomBytes(16)).digest('hex').repeat(8);
  return Buffer.from(
    JSON.stringify({ appMessage: { content: filler.slice(0, BODY_BYTES - frame) } }),
  );
}
