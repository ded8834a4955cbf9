import {
  toRetryAfterMs,
  type Fail,
  type Gone,
  type Outcome,
  type Pause,
  type PauseScope,
  type Requeue,
  type Retry,
} from '@heliograph/core';
import { toRequeue } from '../requeue.ts';
import { parseFcmError, type FcmError } from './error-body.ts';

/** An answer of FCM's messages:send, taken off the wire. */
export interface FcmAnswer {
  readonly status: number;
  /** As it came: JSON, or the HTML of a load balancer. */
  readonly body: string;
  /** The header, as it came. */
  readonly retryAfter?: string;
}

interface Context {
  readonly error: FcmError;
  readonly retryAfterMs: number | undefined;
}

type Reaction = (reason: string, context: Context) => Outcome;

interface Row {
  /** What the row matches: FcmError's errorCode, the canonical status, or the HTTP status. The first kind wins. */
  readonly by: 'errorCode' | 'status' | 'http';
  readonly code: string;
  readonly react: Reaction;
}

/**
 * Every documented answer of FCM. Google: errorCode first, then the status.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
 */
export const FCM_ANSWERS: readonly Row[] = [
  { by: 'errorCode', code: 'UNREGISTERED', react: dead },
  { by: 'errorCode', code: 'INVALID_ARGUMENT', react: invalidArgument },
  { by: 'errorCode', code: 'SENDER_ID_MISMATCH', react: wrongPlace },
  // The key for APNs or web push that is stored in Firebase: the devices of that platform wait, Android goes on.
  { by: 'errorCode', code: 'THIRD_PARTY_AUTH_ERROR', react: pause('third_party') },
  { by: 'errorCode', code: 'APNS_AUTH_ERROR', react: pause('third_party') },
  { by: 'errorCode', code: 'QUOTA_EXCEEDED', react: quota },
  { by: 'errorCode', code: 'UNAVAILABLE', react: retry('fcm_trouble') },
  { by: 'errorCode', code: 'INTERNAL', react: retry('fcm_trouble') },
  // Any other errorCode, UNSPECIFIED_ERROR among them, goes by its class of status.

  { by: 'status', code: 'UNAUTHENTICATED', react: newToken },
  // SERVICE_DISABLED comes under this status, too.
  { by: 'status', code: 'PERMISSION_DENIED', react: pause('credential') },
  // Without an FcmError it is the project or the path that is not found: no device must suffer for it.
  { by: 'status', code: 'NOT_FOUND', react: pause('app') },
  { by: 'status', code: 'INVALID_ARGUMENT', react: invalidArgument },
  { by: 'status', code: 'RESOURCE_EXHAUSTED', react: quota },
  { by: 'status', code: 'UNAVAILABLE', react: retry('fcm_trouble') },
  { by: 'status', code: 'INTERNAL', react: retry('fcm_trouble') },

  { by: 'http', code: '400', react: fail },
  { by: 'http', code: '401', react: newToken },
  { by: 'http', code: '403', react: pause('credential') },
  { by: 'http', code: '404', react: pause('app') },
  { by: 'http', code: '429', react: quota },
  { by: 'http', code: '500', react: retry('fcm_trouble') },
  { by: 'http', code: '502', react: retry('fcm_trouble') },
  { by: 'http', code: '503', react: retry('fcm_trouble') },
  { by: 'http', code: '504', react: retry('fcm_trouble') },
];

/** How often a push that was provably not sent goes again at once, before it waits like any other. */
const MAX_REQUEUES = 5;

const WAITED_IN_VAIN = new Set(['busy', 'no_token']);

const BY_CODE = new Map(FCM_ANSWERS.map(({ by, code, react }) => [`${by} ${code}`, react]));

/** What an answer of FCM means. `now` is what a Retry-After date counts from. */
export function toFcmOutcome(answer: FcmAnswer, now: Date): Outcome {
  if (answer.status >= 200 && answer.status < 300) return toSent(answer);

  const error = parseFcmError(answer.body);
  const react = findReaction(error, answer.status) ?? byClass(answer.status);
  const reason = error.errorCode ?? error.status ?? `status ${answer.status}`;
  return react(reason, { error, retryAfterMs: toRetryAfterMs(answer.retryAfter, now) });
}

/** Not processed. What waited in vain for a stream or a token waits on: that is trouble at Google, or ours with it. */
export function toUnprocessed(reason: string): Outcome {
  const later: Retry = { kind: 'retry', reason, backoff: 'fcm_trouble', bound: 'expiry' };
  if (WAITED_IN_VAIN.has(reason)) return later;
  return toRequeue(reason, 'other_connection', MAX_REQUEUES, later);
}

function findReaction({ errorCode, status }: FcmError, http: number): Reaction | undefined {
  // An errorCode that is new to us says no more than its class: what the status says is true of answers without one.
  if (errorCode !== undefined) return BY_CODE.get(`errorCode ${errorCode}`);
  return BY_CODE.get(`status ${status}`) ?? BY_CODE.get(`http ${http}`);
}

function byClass(status: number): Reaction {
  return status >= 500 ? retry('fcm_trouble') : ourBug;
}

/** A success names the message; any other 2xx did not come from FCM. */
function toSent({ body }: FcmAnswer): Outcome {
  const { name } = parseFcmError(body);
  if (name === undefined || !/^projects\/[^/]+\/messages\/.+/.test(name))
    return ourBug('unexpected_success');
  return { kind: 'sent', providerMessageId: name };
}

function invalidArgument(reason: string, { error }: Context): Outcome {
  return error.blamesToken ? { kind: 'gone', reason, fault: 'wrong_place' } : fail(reason);
}

function wrongPlace(reason: string): Gone {
  return { kind: 'gone', reason, fault: 'wrong_place' };
}

function dead(reason: string): Gone {
  return { kind: 'gone', reason, fault: 'dead' };
}

function fail(reason: string): Fail {
  return { kind: 'fail', reason };
}

/** The answer is new to us. Redirects are among them: following one would hand the access token to a stranger. */
function ourBug(reason: string): Fail {
  return { kind: 'fail', reason, alarm: true };
}

function pause(scope: PauseScope): (reason: string) => Pause {
  return (reason) => ({ kind: 'pause', reason, scope });
}

function newToken(reason: string): Requeue {
  return toRequeue(reason, 'new_token', 1, pause('credential')(reason));
}

/** Only a project's quota is a matter of all its messages; the reason says whose it was. */
function quota(reason: string, context: Context): Retry {
  const { quotaScope } = context.error;
  if (quotaScope === 'project')
    return { ...retry('fcm_quota')(reason, context), throttles: 'project' };
  return retry('fcm_quota')(`${reason} (${quotaScope})`, context);
}

function retry(backoff: Retry['backoff']): (reason: string, context: Context) => Retry {
  return (reason, { retryAfterMs }) => ({
    kind: 'retry',
    reason,
    backoff,
    bound: 'expiry',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}
