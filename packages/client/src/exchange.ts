import type { Failure } from './error.ts';
import type { Attempt } from './retry.ts';
import { startDeadline, type Deadline } from './timing.ts';

/** A request as it goes on the wire. */
export interface WireRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** As the global `fetch`. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ExchangeLimits {
  readonly fetch: Fetch;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** One request and its whole answer, whatever its status. Rejects only when the caller's signal is aborted. */
export async function exchange(
  request: WireRequest,
  limits: ExchangeLimits,
): Promise<Attempt<Answer>> {
  const deadline = startDeadline(limits.timeoutMs, limits.signal);
  try {
    const opened = await open(request, limits, deadline);
    if (!opened.isAnswered) return opened;
    const response = opened.answer;
    const text = await readText(response, limits.maxAnswerBytes);
    if (text === undefined) return failed(tooLarge(response, limits.maxAnswerBytes));
    const { status, headers } = response;
    return { isAnswered: true, answer: { status, headers, text } };
  } catch (error) {
    return failed(toFailure(error, limits, deadline));
  } finally {
    deadline.stop();
  }
}

/** The head of an answer; its body is under the deadline as well. */
export async function open(
  { method, url, headers, body }: WireRequest,
  limits: Pick<ExchangeLimits, 'fetch' | 'signal'>,
  deadline: Deadline,
): Promise<Attempt<Response>> {
  // Some runtimes take their own `fetch` as a function only, not as a method of something else.
  const { fetch } = limits;
  try {
    const response = await fetch(url, {
      method,
      headers,
      // A redirect that is followed would show the key to whoever it leads to.
      redirect: 'manual',
      signal: deadline.signal,
      ...(body === undefined ? {} : { body }),
    });
    if (isRedirect(response)) {
      await response.body?.cancel();
      return failed(redirected(response));
    }
    return { isAnswered: true, answer: response };
  } catch (error) {
    return failed(toFailure(error, limits, deadline));
  }
}

/** What went wrong on the way; throws the reason of the caller's own signal. */
export function toFailure(
  error: unknown,
  { signal }: Pick<ExchangeLimits, 'signal'>,
  deadline: Deadline,
): Failure {
  signal?.throwIfAborted();
  if (deadline.isOver())
    return { code: 'timeout', message: 'no answer in time', kind: 'unclear', cause: error };
  const code = codeOf(error);
  return {
    code: 'connection',
    message: `the connection failed${code === undefined ? '' : ` (${code})`}`,
    kind: code !== undefined && UNSENT.has(code) ? 'not_done' : 'unclear',
    cause: error,
  };
}

/** How Node.js and its fetch say that there never was a connection. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** `fetch` wraps what happened; where it tried several addresses, the first speaks for all. */
function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('errors' in error && Array.isArray(error.errors)) return codeOf(error.errors[0]);
  return 'cause' in error ? codeOf(error.cause) : undefined;
}

function isRedirect({ status, type }: Response): boolean {
  return type === 'opaqueredirect' || (status >= 300 && status < 400);
}

function redirected({ status, headers }: Response): Failure {
  const place = headers.get('location');
  return {
    code: 'redirect',
    message: `redirected${place === null ? '' : ` to ${place}`}; check baseUrl`,
    status: status === 0 ? undefined : status,
    kind: 'refused',
  };
}

function tooLarge({ status }: Response, maxBytes: number): Failure {
  return {
    code: 'answer',
    message: `the answer is longer than ${maxBytes} bytes (maxAnswerBytes)`,
    status,
    kind: 'broken',
  };
}

function failed(failure: Failure): Attempt<never> {
  return { isAnswered: false, failure };
}

/** Undefined when there is more, which is then not read. */
async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  if (response.body === null) return '';
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}
