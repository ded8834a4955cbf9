import { exchange, open, toFailure, type Fetch, type WireRequest } from './exchange.ts';
import { isRecord, judge } from './judge.ts';
import {
  withRetries,
  type Attempt,
  type Repeat,
  type RetryLimits,
  type RetryNotice,
} from './retry.ts';
import { startDeadline, type Deadline, type Timing } from './timing.ts';

/** User name and password of HTTP Basic: an API key's id and secret. */
export interface BasicAuth {
  readonly username: string;
  readonly password: string;
}

export interface ConnectionOptions extends RetryLimits {
  /** Where the api is, with the path before `/push` where there is one: `https://push.example.com`. */
  readonly baseUrl: string;
  /** In place of the global one: with a proxy, or certificates of your own. */
  readonly fetch?: Fetch | undefined;
  /** Longer answers are refused; 64 MiB unless given. */
  readonly maxAnswerBytes?: number | undefined;
  /** Told before each pause, of calls and of streams that failed, for your log. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
}

export interface ClientOptions extends ConnectionOptions {
  /** An API key, shown as Bearer. A function is asked at each call, for keys that change. */
  readonly apiKey?: string | (() => string | Promise<string>) | undefined;
  /** In place of `apiKey`. */
  readonly basic?: BasicAuth | undefined;
}

/** What any call takes; times go before those of the client. */
export interface CallOptions extends RetryLimits {
  /** Ends the call, which then rejects with the signal's reason. What was sent may be done. */
  readonly signal?: AbortSignal | undefined;
  /** 8 to 128 letters, digits and `-`: what the server calls the request in its log and its answer. */
  readonly correlationId?: string | undefined;
}

/** What a call takes that is done once. */
export interface KeyedOptions extends CallOptions {
  /**
   * At most 255 characters; a random one unless given. Give your own, stored beside what you send, to be able to repeat the call after your
   * process died: within 24 hours, with the same input and API key, it answers what the first one did.
   */
  readonly idempotencyKey?: string | undefined;
}

/** A request, as the generated methods know it. */
export interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly repeat: Repeat;
  /** Goes into the query; what is undefined is left out. */
  readonly query?: object | undefined;
  /** Goes into the body as `requestObject`. */
  readonly request?: unknown;
}

/** A page by its number, with the size that the server gave it. */
export interface NumberedPage<T> {
  readonly content: T;
  readonly size: number;
}

export interface OpenStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly deadline: Deadline;
}

export interface Http {
  readonly timing: Timing;
  readonly onRetry: ConnectionOptions['onRetry'];
  /** Resolves with the answer out of its envelope. */
  call<T>(endpoint: Endpoint, options: KeyedOptions | undefined): Promise<T>;
  page<T>(endpoint: Endpoint, options: CallOptions | undefined): Promise<NumberedPage<T>>;
  /** One attempt to open a stream. `idleMs` bounds the wait for its head, and is the deadline's time after that. */
  openStream(
    endpoint: Endpoint,
    headers: Readonly<Record<string, string>>,
    options: CallOptions & { readonly idleMs: number },
  ): Promise<Attempt<OpenStream>>;
}

interface Envelope<T> {
  readonly responseObject: T;
  readonly size?: number;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function createHttp(options: ClientOptions, timing: Timing): Http {
  const { fetch = globalThis.fetch, maxAnswerBytes = MAX_ANSWER_BYTES } = options;
  const baseUrl = parseBaseUrl(options.baseUrl);

  async function toWire(
    { method, path, query = {}, request }: Endpoint,
    headers: Readonly<Record<string, string | undefined>>,
  ): Promise<WireRequest> {
    const given = {
      authorization: await authorize(options),
      accept: 'application/json',
      ...headers,
    };
    return {
      method,
      url: baseUrl + path + toQuery(query),
      headers: {
        ...dropUndefined(given),
        ...(request === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: request === undefined ? undefined : JSON.stringify({ requestObject: request }),
    };
  }

  async function send<T>(endpoint: Endpoint, given: KeyedOptions = {}): Promise<Envelope<T>> {
    const idempotencyKey =
      endpoint.repeat === 'keyed' ? (given.idempotencyKey ?? crypto.randomUUID()) : undefined;
    // Made once: what is repeated is the same to the byte.
    const request = await toWire(endpoint, {
      'idempotency-key': idempotencyKey,
      'x-correlation-id': given.correlationId,
    });
    const answer = await withRetries(
      {
        ...limitsOf(options),
        ...dropUndefined(limitsOf(given)),
        call: `${endpoint.method} ${endpoint.path}`,
        repeat: endpoint.repeat,
        idempotencyKey,
        signal: given.signal,
        onRetry: options.onRetry,
        timing,
      },
      async ({ timeoutMs }) => {
        const { signal } = given;
        const limits = { fetch, signal, timeoutMs, maxAnswerBytes };
        const result = await exchange(request, limits);
        return result.isAnswered ? judge(result.answer) : result;
      },
    );
    return toEnvelope(answer);
  }

  return {
    timing,
    onRetry: options.onRetry,
    async call<T>(endpoint: Endpoint, given: KeyedOptions | undefined): Promise<T> {
      return (await send<T>(endpoint, given)).responseObject;
    },
    async page<T>(endpoint: Endpoint, given: CallOptions | undefined): Promise<NumberedPage<T>> {
      const { responseObject, size = 0 } = await send<T>(endpoint, given);
      return { content: responseObject, size };
    },
    async openStream(endpoint, headers, { signal, correlationId, idleMs }) {
      const request = await toWire(endpoint, {
        ...headers,
        accept: 'text/event-stream',
        'x-correlation-id': correlationId,
      });
      const deadline = startDeadline(idleMs, signal);
      const result = await open(request, { fetch, signal }, deadline);
      if (!result.isAnswered) {
        deadline.stop();
        return result;
      }
      return toStream(result.answer, deadline, signal);
    },
  };
}

/** A stream, or what the server says instead of one. */
async function toStream(
  response: Response,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): Promise<Attempt<OpenStream>> {
  const { status, headers, body } = response;
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  if (status === 200 && isStream && body !== null)
    return { isAnswered: true, answer: { body, deadline } };
  try {
    const result = judge({ status, headers, text: await response.text() });
    if (!result.isAnswered) return result;
    const message = `${status}, but no stream of events`;
    return { isAnswered: false, failure: { code: 'answer', message, status, kind: 'broken' } };
  } catch (error) {
    return { isAnswered: false, failure: toFailure(error, { signal }, deadline) };
  } finally {
    deadline.stop();
  }
}

/** A part of a path. */
export function segment(value: string | number): string {
  return encodeURIComponent(value);
}

export function parseBaseUrl(baseUrl: string): string {
  const url = new URL(baseUrl);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new TypeError(`baseUrl is neither https nor http: ${url.protocol}`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new TypeError('baseUrl has more than host and path.');
  return url.origin + url.pathname.replace(/\/+$/, '');
}

async function authorize({ apiKey, basic }: ClientOptions): Promise<string | undefined> {
  if (basic !== undefined) {
    const bytes = new TextEncoder().encode(`${basic.username}:${basic.password}`);
    return `Basic ${btoa(String.fromCharCode(...bytes))}`;
  }
  const key = typeof apiKey === 'function' ? await apiKey() : apiKey;
  return key === undefined ? undefined : `Bearer ${key}`;
}

function toQuery(query: object): string {
  const pairs = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === null ? [] : [[name, String(value)]],
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

function limitsOf({ maxAttempts, attemptTimeoutMs, deadlineMs }: RetryLimits): RetryLimits {
  return { maxAttempts, attemptTimeoutMs, deadlineMs };
}

function dropUndefined<T extends object>(
  fields: T,
): { [Name in keyof T]: Exclude<T[Name], undefined> };
function dropUndefined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function toEnvelope<T>(answer: unknown): Envelope<T>;
function toEnvelope(answer: unknown): Envelope<unknown> {
  if (!isRecord(answer)) return { responseObject: undefined };
  const { responseObject, size } = answer;
  return { responseObject, ...(typeof size === 'number' ? { size } : {}) };
}
