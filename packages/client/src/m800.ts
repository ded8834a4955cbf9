import { randomBytes } from 'node:crypto';

import { exchange, type Answer } from './exchange.ts';
import type { M800GetRequestAnswer, M800PushRequest } from './generated/schemas.ts';
import { parseBaseUrl, segment, type CallOptions, type ConnectionOptions } from './http.ts';
import { judge } from './judge.ts';
import { withRetries, type Attempt, type AttemptContext } from './retry.ts';
import { SCHEME, toSignature } from './signature.ts';
import { SYSTEM_TIMING } from './timing.ts';

export { HeliographError } from './error.ts';
export type { CallOptions, ConnectionOptions } from './http.ts';
export type { M800GetRequestAnswer, M800PushRequest } from './generated/schemas.ts';

/** Signs with a developer key. */
export interface M800Options extends ConnectionOptions {
  readonly developerKey: string;
  readonly secret: string;
}

export interface M800PushAnswer {
  /**
   * What `getRequest` asks for. Undefined where the push was accepted by a request whose answer got lost: its repeat is told that the push is
   * there, but not its id.
   */
  readonly requestId: string | undefined;
}

export interface M800Client {
  /**
   * Puts a message into a user's inbox, and pushes it to their devices.
   *
   * `receiver` is `username@carrier`. The identical request, nonce included, is repeated where no answer came: a nonce counts once, so
   * the push is made once.
   */
  push(receiver: string, request: M800PushRequest, options?: CallOptions): Promise<M800PushAnswer>;
  /** What became of a push of this key. */
  getRequest(requestId: string, options?: CallOptions): Promise<M800GetRequestAnswer>;
}

const NONCE_BYTES = 16;
const NONCE_USED = '40106';
/** The server's clock may be five minutes off the date that was signed: a repeat must come before that. */
const MAX_DEADLINE_MS = 4 * 60_000;
const DEADLINE_MS = 60_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Signed pushes, as M800 has them. Takes https, or http to the machine itself. */
export function createM800Client(options: M800Options): M800Client {
  const baseUrl = parseBaseUrl(options.baseUrl);

  function call<T>(
    { method, path, body = '' }: { method: string; path: string; body?: string },
    given: CallOptions,
    read: (result: Attempt<unknown>, context: AttemptContext) => Attempt<T>,
  ): Promise<T> {
    const { fetch = globalThis.fetch, maxAnswerBytes = MAX_ANSWER_BYTES } = options;
    const url = new URL(baseUrl + path);
    const sign = () =>
      signRequest({ ...options, method, uri: url.pathname + url.search, body: utf8(body) });
    // A nonce that was used up by a query is of no use to the next one; that of a push keeps it from being made twice.
    const signed = method === 'POST' ? sign() : undefined;
    return withRetries(
      {
        call: `${method} ${path}`,
        repeat: method === 'POST' ? 'keyed' : 'safe',
        signal: given.signal,
        onRetry: options.onRetry,
        timing: SYSTEM_TIMING,
        maxAttempts: given.maxAttempts ?? options.maxAttempts,
        attemptTimeoutMs: given.attemptTimeoutMs ?? options.attemptTimeoutMs,
        deadlineMs: Math.min(
          MAX_DEADLINE_MS,
          given.deadlineMs ?? options.deadlineMs ?? DEADLINE_MS,
        ),
      },
      async (context) => {
        const { signal, correlationId } = given;
        const headers = {
          ...(signed ?? sign()),
          ...(correlationId === undefined ? {} : { 'X-Correlation-ID': correlationId }),
        };
        const request = { method, url: url.href, headers, body: body === '' ? undefined : body };
        const { timeoutMs } = context;
        const result = await exchange(request, { fetch, signal, timeoutMs, maxAnswerBytes });
        return read(result.isAnswered ? judgeSigned(result.answer) : result, context);
      },
    );
  }

  return {
    push: (receiver, request, given = {}) =>
      call(
        {
          method: 'POST',
          path: `/api/1.0/push/${segment(receiver)}`,
          body: JSON.stringify(request),
        },
        given,
        toPushAnswer,
      ),
    getRequest: (requestId, given = {}) =>
      call<M800GetRequestAnswer>(
        { method: 'GET', path: `/api/1.0/push/requests/${segment(requestId)}` },
        given,
        toJson,
      ),
  };
}

/** What M800 says of 500: repeat the identical request. */
function judgeSigned(answer: Answer): Attempt<unknown> {
  const result = judge(answer);
  if (result.isAnswered || result.failure.status !== 500) return result;
  return { isAnswered: false, failure: { ...result.failure, kind: 'unclear' } };
}

function toPushAnswer(
  result: Attempt<unknown>,
  { mayBeDone }: AttemptContext,
): Attempt<M800PushAnswer> {
  if (result.isAnswered) return toJson(result);
  // The one who used it was us.
  if (mayBeDone && result.failure.code === NONCE_USED)
    return { isAnswered: true, answer: { requestId: undefined } };
  return result;
}

function toJson<T>(result: Attempt<unknown>): Attempt<T>;
function toJson(result: Attempt<unknown>): Attempt<unknown> {
  return result;
}

/** A request that is to be signed, each part as it goes on the wire. */
export interface RequestToSign {
  readonly developerKey: string;
  readonly secret: string;
  readonly method: string;
  /** Path and query, percent-encoded as they are sent. */
  readonly uri: string;
  /** Empty for none. */
  readonly body: Uint8Array;
  /** `application/json` unless given. */
  readonly contentType?: string;
  /** Now, unless given. */
  readonly date?: Date;
  /** Random, unless given: 1 to 128 printable characters without a quote, others in each request of a key. */
  readonly nonce?: string;
}

/** The headers that make a request a signed one, for those who send it themselves. */
export function signRequest(request: RequestToSign): Readonly<Record<string, string>> {
  const { developerKey, secret, method, uri, body, contentType = 'application/json' } = request;
  const nonce = request.nonce ?? randomBytes(NONCE_BYTES).toString('hex');
  if ([developerKey, nonce].some((part) => !/^[\x20-\x21\x23-\x7e]{1,128}$/.test(part)))
    throw new TypeError('Keys and nonces have 1 to 128 printable characters and no quote.');
  const date = (request.date ?? new Date()).toUTCString();
  const signature = toSignature(secret, { method, uri, body, contentType, date, nonce });
  return {
    Authorization: `${SCHEME} key="${developerKey}", nonce="${nonce}", signature="${signature}"`,
    'X-M-Date': date,
    ...(body.byteLength === 0 ? {} : { 'Content-Type': contentType }),
  };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
