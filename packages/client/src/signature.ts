import { createHash, createHmac } from 'node:crypto';

export const SCHEME = 'MAAIISDK10';

/** What is signed of a request, each as it stands on the wire. */
export interface Signed {
  readonly method: string;
  /** Path and query. */
  readonly uri: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly date: string;
  readonly nonce: string;
}

/** HMAC-SHA256 in lower-case hex of six lines; without a body those of its MD5 and its type are empty. */
export function toSignature(secret: string, signed: Signed): string {
  const { method, uri, body, contentType, date, nonce } = signed;
  const hasBody = body.byteLength > 0;
  const md5 = hasBody ? createHash('md5').update(body).digest('hex') : '';
  const text = [method, uri, md5, hasBody ? contentType : '', date, nonce].join('\n');
  return createHmac('sha256', secret).update(text, 'utf8').digest('hex');
}
