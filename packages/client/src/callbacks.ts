import { timingSafeEqual } from 'node:crypto';

import type { CallbackEvent } from './callback-event.ts';
import { isRecord } from './judge.ts';
import { SCHEME, toSignature } from './signature.ts';

export type * from './callback-event.ts';

/** A request as it was received. */
export interface ReceivedCallback {
  /** `POST` unless given. */
  readonly method?: string | undefined;
  /** Path and query as they stood on the request line, such as `req.originalUrl`; of an absolute URL its path and query. */
  readonly url: string;
  /** Those of Node.js, or of `fetch`. */
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The raw bytes, before any parser. */
  readonly body: Uint8Array | string;
}

export interface VerifyOptions {
  /** Those that you know: two around a rotation. */
  readonly secrets: readonly string[];
  /** How far the date may be off our clock, either way, ms; five minutes unless given. */
  readonly windowMs?: number | undefined;
  /** Ms since 1970; the machine's clock unless given. */
  readonly now?: number | undefined;
}

/** What was told by a request that is Heliograph's. */
export interface VerifiedCallback {
  /** The key that it was signed with: of a callback, or a developer key. */
  readonly key: string;
  /** The application, as it is called on the wire. */
  readonly appId: string | number;
  /** In the order in which they were recorded. Some may have come before: their ids tell. */
  readonly events: readonly CallbackEvent[];
  /** Store it beside the events, and `callbacks.events({ after })` tells what you missed. */
  readonly cursor: string;
}

export type CallbackErrorCode =
  /** Without a signature, or with half of one. */
  | 'unsigned'
  /** Its date is missing, or too far from our clock. */
  | 'stale'
  /** The signature is made with none of the secrets, or of another request. */
  | 'forged'
  /** It is signed, and not in the shape of a callback. */
  | 'malformed';

/** Answer such a request with 4xx: it comes again, and nothing is lost. Never with 410, which ends the callback. */
export class CallbackError extends Error {
  override readonly name = 'CallbackError';
  readonly code: CallbackErrorCode;

  constructor(code: CallbackErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

const WINDOW_MS = 5 * 60_000;
const PART = /^(key|nonce|signature)="([^"]{1,128})"$/;

/**
 * The events of a request that bears a signature made with one of the secrets, of now. Throws a CallbackError otherwise. How long it takes
 * tells nothing of the secrets.
 */
export function verifyCallback(
  { method = 'POST', url, headers, body }: ReceivedCallback,
  { secrets, windowMs = WINDOW_MS, now = Date.now() }: VerifyOptions,
): VerifiedCallback {
  const { key, nonce, signature } = parseAuthorization(headerOf(headers, 'authorization'));
  const date = headerOf(headers, 'x-m-date') ?? '';
  if (!(Math.abs(now - Date.parse(date)) <= windowMs))
    throw new CallbackError('stale', 'X-M-Date is missing, or too far from our clock.');

  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const contentType = headerOf(headers, 'content-type') ?? '';
  const signed = { method, uri: toUri(url), body: bytes, contentType, date, nonce };
  let isOurs = false;
  // All of them, whichever it is.
  for (const secret of secrets) isOurs = isEqual(signature, toSignature(secret, signed)) || isOurs;
  if (!isOurs) throw new CallbackError('forged', 'The signature is not one of these secrets.');
  return { key, ...parseBody(bytes) };
}

function parseAuthorization(header = '') {
  const [, scheme = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(header) ?? [];
  const parts = rest.split(/\s*,\s*/).map((part) => PART.exec(part));
  const named = new Map(parts.map((part) => [part?.[1], part?.[2]]));
  const [key, nonce, signature] = ['key', 'nonce', 'signature'].map((name) => named.get(name));
  const isWhole = key !== undefined && nonce !== undefined && signature !== undefined;
  if (scheme.toUpperCase() !== SCHEME || !isWhole || parts.length !== 3)
    throw new CallbackError('unsigned', 'Authorization is missing or malformed.');
  return { key, nonce, signature };
}

function headerOf(headers: ReceivedCallback['headers'], name: string): string | undefined {
  if (isHeaders(headers)) return headers.get(name) ?? undefined;
  const given = Object.entries(headers).find(([own]) => own.toLowerCase() === name)?.[1];
  return typeof given === 'string' ? given : given?.join(', ');
}

/** Not by its class, of which there may be several. */
function isHeaders(headers: ReceivedCallback['headers']): headers is Headers {
  return typeof headers['get'] === 'function';
}

/** Not by URL, which would write some characters otherwise than they came. */
function toUri(url: string): string {
  return url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/^(?!\/)/, '/');
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [new TextEncoder().encode(given), new TextEncoder().encode(expected)];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

function parseBody(bytes: Uint8Array): Omit<VerifiedCallback, 'key'> {
  const body = parseJson(new TextDecoder().decode(bytes));
  if (!isBody(body)) throw new CallbackError('malformed', 'The body is not that of a callback.');
  const { appId, events, cursor } = body;
  return { appId, events, cursor };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What is in the events is believed: they are signed. */
function isBody(body: unknown): body is Omit<VerifiedCallback, 'key'> {
  if (!isRecord(body)) return false;
  const { appId, events, cursor } = body;
  return (
    (typeof appId === 'string' || typeof appId === 'number') &&
    Array.isArray(events) &&
    events.every(isEvent) &&
    typeof cursor === 'string'
  );
}

function isEvent(event: unknown): boolean {
  return isRecord(event) && typeof event['type'] === 'string';
}
