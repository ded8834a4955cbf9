import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The name of the scheme in an Authorization header; it is compared without case. */
export const SIGNATURE_SCHEME = 'MAAIISDK10';

/** What is signed of a request, each as it stands on the wire. */
export interface SignedElements {
  /** Upper case. */
  readonly method: string;
  /** Path and query as on the request line, still percent-encoded: no scheme, host or port. */
  readonly uri: string;
  /** See `toContentMd5`. */
  readonly contentMd5: string;
  /** Empty where there is no body. */
  readonly contentType: string;
  /** The value of X-M-Date, an IMF-fixdate. */
  readonly date: string;
  readonly nonce: string;
}

/** A request that is about to be signed with a developer's secret. */
export interface RequestToSign extends Omit<SignedElements, 'contentMd5'> {
  /** The bytes that will be sent; empty for none, and the content type then counts for nothing. */
  readonly body: Uint8Array;
  readonly secret: string;
}

/** The signature of a request as M800 defines it: HMAC-SHA256 in lower-case hex. */
export function signRequest({ body, secret, ...request }: RequestToSign): string {
  const contentType = body.length === 0 ? '' : request.contentType;
  return toSignature(
    secret,
    toStringToSign({ ...request, contentType, contentMd5: toContentMd5(body) }),
  );
}

/** The MD5 of the body in lower-case hex (not base64, as RFC 1864 has it); empty for an empty body. */
export function toContentMd5(body: Uint8Array): string {
  return body.length === 0 ? '' : createHash('md5').update(body).digest('hex');
}

/** Six elements with a line feed between them; one that is empty keeps its line feed. */
export function toStringToSign(elements: SignedElements): string {
  const { method, uri, contentMd5, contentType, date, nonce } = elements;
  return `${method}\n${uri}\n${contentMd5}\n${contentType}\n${date}\n${nonce}`;
}

/** Secret and text are taken as UTF-8. */
export function toSignature(secret: string, stringToSign: string): string {
  return createHmac('sha256', secret).update(stringToSign, 'utf8').digest('hex');
}

/** What a body without a Content-Type may have been signed as. */
const DEFAULT_CONTENT_TYPE = 'application/json';

/**
 * Whether a request as it was received bears a signature made with one of the secrets. An empty content type beside a body is also
 * tried as `application/json`. Every secret is tried to the end, so the time tells nothing of which one matched.
 */
export function isSignedWith(
  secrets: readonly string[],
  request: SignedElements & { readonly signature: string },
): boolean {
  const texts = [toStringToSign(request)];
  if (request.contentMd5 !== '' && request.contentType === '')
    texts.push(toStringToSign({ ...request, contentType: DEFAULT_CONTENT_TYPE }));

  let matches = false;
  for (const secret of secrets)
    for (const text of texts)
      matches = matchesSignature(request.signature, toSignature(secret, text)) || matches;
  return matches;
}

/** Takes as long wherever the two differ. */
export function matchesSignature(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given, 'utf8'), Buffer.from(expected, 'utf8')];
  // The length is no secret: every signature has 64 digits.
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The value of the Authorization header. Neither a key nor a nonce may hold a quote. */
export function toAuthorization(parts: {
  readonly key: string;
  readonly nonce: string;
  readonly signature: string;
}): string {
  return `${SIGNATURE_SCHEME} key="${parts.key}", nonce="${parts.nonce}", signature="${parts.signature}"`;
}
