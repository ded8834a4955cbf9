import {
  toRetryAfterMs,
  type Ambiguous,
  type BackoffName,
  type Fail,
  type Outcome,
  type Pause,
  type Retry,
} from '@heliograph/core';

import type { ProxyCredential } from '../credential.ts';

/** An answer of a customer's proxy, taken off the wire. */
export interface ProxyAnswer {
  readonly status: number;
  /** The headers, as they came. */
  readonly contentType?: string;
  readonly retryAfter?: string;
  /** As much as was read of it. */
  readonly body: string;
}

/** What the customer wants made of answers. */
export type ProxyPolicy = Pick<ProxyCredential, 'goneOn' | 'retry'>;

interface Context {
  readonly answer: ProxyAnswer;
  readonly policy: ProxyPolicy;
  /** The proxy has taken a push since its credential was last changed. */
  readonly hasSucceeded: boolean;
  readonly now: Date;
}

type Reaction = (reason: string, context: Context) => Outcome;

interface Row {
  readonly from: number;
  /** Absent: only that status. */
  readonly to?: number;
  readonly react: Reaction;
}

/** LivePerson: a push that was not taken is sent four times in all. */
const DOCUMENTED_ATTEMPTS = 4;
const PAUSE_AFTER_NOT_FOUND = 10;

/**
 * Every answer and what we make of it; the first row that fits counts. LivePerson documents 200, 401, 403 and 500 alone, and that what
 * was not taken is sent again; the others are read as HTTP means them.
 */
export const PROXY_ANSWERS: readonly Row[] = [
  { from: 200, to: 299, react: () => ({ kind: 'sent' }) },
  // Following one would carry the push, and what authenticates us, to a stranger.
  { from: 300, to: 399, react: () => ({ kind: 'fail', reason: 'http_redirect', alarm: true }) },
  { from: 400, react: badRequest },
  { from: 401, react: pause('credential') },
  // "This user's token may not receive pushes": no proof that it is dead.
  { from: 403, react: (reason) => ({ ...fail(reason), refusedBy: 'device' }) },
  { from: 404, react: notFound },
  { from: 405, react: fail },
  { from: 407, react: pause('credential') },
  { from: 408, react: later },
  { from: 410, react: goneOr(fail) },
  { from: 413, react: fail },
  { from: 415, react: fail },
  { from: 422, react: fail },
  { from: 425, react: later },
  { from: 429, react: throttled },
  // nginx's own for a certificate that failed, or was missing; it shows them only where it was told to.
  { from: 495, to: 496, react: certificateRefused },
  { from: 500, to: 599, react: later },
];

/** What an answer of a customer's proxy means. `context.now` is what a Retry-After date counts from. */
export function toProxyOutcome(context: Context): Outcome {
  const { status } = context.answer;
  const row = PROXY_ANSWERS.find(({ from, to = from }) => status >= from && status <= to);
  const reason = `http_${status}`;
  // New to us, so someone should look; never again, since whatever it is will be answered the same.
  if (!row) return { kind: 'fail', reason, alarm: true };
  return row.react(reason, context);
}

/** The request was written, and its answer never came. */
export function toLost(reason: string, policy: ProxyPolicy): Ambiguous {
  return { kind: 'ambiguous', reason, backoff: toBackoff(policy), limit: DOCUMENTED_ATTEMPTS };
}

/** nginx answers so where it does not like our certificate, as if the request were at fault. */
function badRequest(reason: string, context: Context): Outcome {
  const { answer, hasSucceeded } = context;
  const blamesCertificate = /SSL certificate/i.test(answer.body);
  if (blamesCertificate || (isHtml(answer) && !hasSucceeded)) return certificateRefused();
  return fail(reason);
}

function certificateRefused(): Pause {
  return { kind: 'pause', reason: 'certificate_refused', scope: 'endpoint' };
}

function notFound(reason: string, context: Context): Outcome {
  // Whatever its token, a wrong path has this answer for every device.
  const wrongPath: Fail = { ...fail(reason), pauseAfter: PAUSE_AFTER_NOT_FOUND };
  return goneOr(() => wrongPath)(reason, context);
}

function goneOr(otherwise: (reason: string) => Fail): Reaction {
  return (reason, { answer, policy }) =>
    policy.goneOn.includes(answer.status)
      ? { kind: 'gone', reason, fault: 'dead' }
      : otherwise(reason);
}

function fail(reason: string): Fail {
  return { kind: 'fail', reason };
}

function pause(scope: Pause['scope']): Reaction {
  return (reason) => ({ kind: 'pause', reason, scope });
}

function throttled(reason: string, context: Context): Retry {
  return {
    kind: 'retry',
    reason,
    backoff: 'proxy_throttled',
    bound: 'expiry',
    throttles: 'project',
    ...toRetryAfter(context),
  };
}

function later(reason: string, context: Context): Retry {
  const { policy } = context;
  const shared = { kind: 'retry', reason, backoff: toBackoff(policy) } as const;
  if (policy.retry === 'until_expiry')
    return { ...shared, bound: 'expiry', ...toRetryAfter(context) };
  return { ...shared, bound: 'count', limit: DOCUMENTED_ATTEMPTS, ...toRetryAfter(context) };
}

function toBackoff({ retry }: ProxyPolicy): BackoffName {
  return retry === 'documented' ? 'proxy_trouble' : 'proxy_trouble_long';
}

function toRetryAfter({ answer, now }: Context): Pick<Retry, 'retryAfterMs'> {
  const retryAfterMs = toRetryAfterMs(answer.retryAfter, now);
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

function isHtml({ contentType = '', body }: ProxyAnswer): boolean {
  return /\bhtml\b/i.test(contentType) || /^\s*<(?:!doctype|html)/i.test(body);
}
