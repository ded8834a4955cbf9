import { randomBytes } from 'node:crypto';

import { signRequest, toAuthorization, toContentMd5 } from '@heliograph/core';

const CONTENT_TYPE = 'application/json';
const NONCE_BYTES = 16;

/** The headers of a POST, signed as M800 signs requests. */
export function signCallback(request: {
  readonly url: URL;
  readonly body: Buffer;
  readonly key: string;
  readonly secret: string;
  readonly now: Date;
}): Readonly<Record<string, string>> {
  const { url, body, key, secret } = request;
  const nonce = randomBytes(NONCE_BYTES).toString('hex');
  const date = request.now.toUTCString();
  const signature = signRequest({
    method: 'POST',
    uri: toRequestUri(url),
    body,
    contentType: CONTENT_TYPE,
    date,
    nonce,
    secret,
  });
  return {
    'content-type': CONTENT_TYPE,
    'content-md5': toContentMd5(body),
    'x-m-date': date,
    authorization: toAuthorization({ key, nonce, signature }),
    'user-agent': 'Heliograph',
  };
}

/** What stands on the request line. */
export function toRequestUri({ pathname, search }: URL): string {
  return pathname + search;
}
