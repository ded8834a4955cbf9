import { Buffer } from 'node:buffer';
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Either way around our clock. */
const WINDOW_MS = 5 * 60_000;
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const PARAMETER = /^\s*([a-z]+)="([^"]*)"\s*$/;
const NAMES = ['key', 'nonce', 'signature'] as const;

export interface SignedRequest {
  readonly method: string;
  /** Path and query as on the request line. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: Buffer;
}

type Authorization = Readonly<Record<(typeof NAMES)[number], string>>;

/** A signed request's key and nonce, or why it is none. */
export type Verdict =
  | { readonly key: string; readonly nonce: string; readonly refusal?: never }
  | { readonly refusal: string; readonly key?: string };

/**
 * Checks a request as a developer would who has M800's guide and nothing of ours: this shares no code with the signer
 * on purpose, or both would misread the guide alike.
 */
export function verifySignature(
  request: SignedRequest,
  findSecret: (key: string) => string | undefined,
  now: number,
): Verdict {
  const authorization = parseAuthorization(request.headers.authorization);
  if (!authorization) return { refusal: 'The Authorization header is missing or malformed.' };
  const { key, nonce, signature } = authorization;
  const secret = findSecret(key);
  if (secret === undefined) return { refusal: 'The key is unknown.', key };
  const refusal =
    findDateMistake(request.headers, now) ??
    findBodyMistake(request) ??
    findSignatureMistake(request, nonce, signature, secret);
  return refusal === undefined ? { key, nonce } : { refusal, key };
}

/** Parameters in any order, each once. */
function parseAuthorization(header = ''): Authorization | undefined {
  const [, scheme = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(header) ?? [];
  if (scheme.toUpperCase() !== 'MAAIISDK10') return undefined;
  const parameters = rest.split(',').map((part) => PARAMETER.exec(part));
  const found = new Map(parameters.map((match) => [match?.[1], match?.[2]]));
  if (parameters.length !== NAMES.length) return undefined;
  const [key, nonce, signature] = NAMES.map((name) => found.get(name));
  if (!key || !nonce || !signature) return undefined;
  return { key, nonce, signature };
}

function findDateMistake(headers: IncomingHttpHeaders, now: number): string | undefined {
  const date = headers['x-m-date'];
  if (typeof date !== 'string' || !IMF_FIXDATE.test(date)) return 'X-M-Date is no IMF-fixdate.';
  const distance = Math.abs(Date.parse(date) - now);
  return distance <= WINDOW_MS ? undefined : 'X-M-Date is too far from now.';
}

function findBodyMistake({ headers, rawBody }: SignedRequest): string | undefined {
  const given = headers['content-md5'];
  if (given === undefined || given === md5Of(rawBody)) return undefined;
  return 'Content-MD5 is not that of the body.';
}

function findSignatureMistake(
  { method, path, headers, rawBody }: SignedRequest,
  nonce: string,
  signature: string,
  secret: string,
): string | undefined {
  const hasBody = rawBody.length > 0;
  const lines = [
    method.toUpperCase(),
    path,
    hasBody ? md5Of(rawBody) : '',
    hasBody ? (headers['content-type'] ?? '') : '',
    headers['x-m-date'],
    nonce,
  ];
  const expected = createHmac('sha256', Buffer.from(secret)).update(lines.join('\n')).digest('hex');
  const isRight =
    signature.length === expected.length &&
    timingSafeEqual(Buffer.from(signature, 'latin1'), Buffer.from(expected, 'latin1'));
  return isRight ? undefined : 'The signature is wrong.';
}

function md5Of(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}
