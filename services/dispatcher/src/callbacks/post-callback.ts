import { toRetryAfterMs } from '@heliograph/core';
import { AddressRefused } from '@heliograph/outbound';
import type { Dispatcher } from 'undici';

import { toRequestUri } from './sign-callback.ts';

/** From the look-up of the name to the head of the answer. */
export const POST_DEADLINE_MS = 15_000;
/** Of an answer's body we read so much, for so long, that its connection can be used again. */
const MAX_ANSWER_BYTES = 4096;
const ANSWER_DEADLINE_MS = 1_000;
/** A receiver may ask for a wait as long as our longest one is by itself. */
const MAX_RETRY_AFTER_MS = 15 * 60_000;

export interface CallbackRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What came of a request; `result` is for operators: the status, or what went wrong. */
export type PostOutcome =
  | { readonly kind: 'taken'; readonly result: string }
  | {
      readonly kind: 'refused';
      readonly result: string;
      readonly isGone: boolean;
      /** What the receiver asks for, ms; undefined where it asks for nothing. */
      readonly retryAfterMs?: number | undefined;
    }
  /** We gave it up ourselves. */
  | { readonly kind: 'abandoned' };

/** POSTs, and looks at nothing but the status, and how long to wait: 2xx is a success, a redirect none. Never rejects. */
export async function postCallback(
  agent: Dispatcher,
  request: CallbackRequest,
  abandon: AbortSignal,
  deadlineMs: number = POST_DEADLINE_MS,
): Promise<PostOutcome> {
  const { url, headers, body } = request;
  const ending = new AbortController();
  const end = () => ending.abort();
  const deadline = setTimeout(end, deadlineMs);
  abandon.addEventListener('abort', end);
  try {
    const answer = await agent.request({
      origin: url.origin,
      path: toRequestUri(url),
      method: 'POST',
      headers,
      body,
      signal: ending.signal,
    });
    await discard(answer.body);
    return toOutcome(answer.statusCode, answer.headers['retry-after']);
  } catch (error) {
    if (abandon.aborted) return { kind: 'abandoned' };
    return {
      kind: 'refused',
      result: ending.signal.aborted ? 'timeout' : nameOf(error),
      isGone: false,
    };
  } finally {
    clearTimeout(deadline);
    abandon.removeEventListener('abort', end);
  }
}

/** An endless body, or one that breaks off, takes nothing back of what the status says. */
async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  body.on('error', () => undefined);
  await body
    .dump({ limit: MAX_ANSWER_BYTES, signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) })
    .catch(() => undefined);
}

function toOutcome(status: number, retryAfter: string | string[] | undefined): PostOutcome {
  const result = String(status);
  if (status >= 200 && status <= 299) return { kind: 'taken', result };
  const header = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
  const askedMs = toRetryAfterMs(header, new Date());
  const retryAfterMs = askedMs === undefined ? undefined : Math.min(askedMs, MAX_RETRY_AFTER_MS);
  return { kind: 'refused', result, isGone: status === 410, retryAfterMs };
}

/** As Node, OpenSSL or undici call it, but for what we call ourselves. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error instanceof AddressRefused) return error.reason;
  if (!('code' in error) || typeof error.code !== 'string') return error.name;
  return error.code.startsWith('UND_ERR_') && error.code.endsWith('_TIMEOUT')
    ? 'timeout'
    : error.code;
}
