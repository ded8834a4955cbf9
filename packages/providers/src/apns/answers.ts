import type { Fail, Gone, Outcome, Pause, PauseScope, Requeue, Retry } from '@heliograph/core';
import { toRequeue } from '../requeue.ts';

/** An answer of APNs, taken off the wire. */
export interface ApnsAnswer {
  readonly status: number;
  /** From the JSON body; absent where that is empty or not JSON. */
  readonly reason?: string;
  /** Ms since the epoch, with a 410: when APNs last knew the token as invalid. */
  readonly timestamp?: number;
  readonly retryAfterMs?: number;
  /** `apns-id` as echoed. */
  readonly providerMessageId?: string;
}

type Reaction = (reason: string, answer: ApnsAnswer) => Outcome;

interface Row {
  readonly status: number;
  /** In Apple's spelling; undefined: whatever the reason. */
  readonly reason: string | undefined;
  readonly react: Reaction;
}

/**
 * Every documented answer of APNs. What is missing here falls back to its class of status, see `byClass`.
 * https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
 */
export const APNS_ANSWERS: readonly Row[] = [
  { status: 200, reason: undefined, react: sent },

  // A token of the other environment gets this too, and so does every token when the host is wrong.
  { status: 400, reason: 'BadDeviceToken', react: wrongPlace },
  { status: 400, reason: 'DeviceTokenNotForTopic', react: wrongPlace },

  { status: 400, reason: 'BadCollapseId', react: ourBug },
  { status: 400, reason: 'BadExpirationDate', react: ourBug },
  { status: 400, reason: 'BadMessageId', react: ourBug },
  { status: 400, reason: 'BadPriority', react: ourBug },
  { status: 400, reason: 'DuplicateHeaders', react: ourBug },
  { status: 400, reason: 'InvalidPushType', react: ourBug },
  { status: 400, reason: 'MissingDeviceToken', react: ourBug },
  { status: 400, reason: 'PayloadEmpty', react: ourBug },

  { status: 400, reason: 'BadTopic', react: pause('app') },
  { status: 400, reason: 'MissingTopic', react: pause('app') },
  // A connection knows the topics that its team had at the first push: a younger one is allowed on a new connection.
  { status: 400, reason: 'TopicDisallowed', react: topicDisallowed },
  { status: 400, reason: 'IdleTimeout', react: newConnection },

  { status: 403, reason: 'ExpiredProviderToken', react: newToken },
  { status: 403, reason: 'InvalidProviderToken', react: pause('credential') },
  { status: 403, reason: 'MissingProviderToken', react: pause('credential') },
  { status: 403, reason: 'UnrelatedKeyIdInToken', react: newConnection },
  { status: 403, reason: 'BadEnvironmentKeyIdInToken', react: pause('credential') },
  // With certificates only.
  { status: 403, reason: 'BadCertificate', react: pause('credential') },
  { status: 403, reason: 'BadCertificateEnvironment', react: pause('credential') },
  { status: 403, reason: 'Forbidden', react: forbidden },

  { status: 404, reason: 'BadPath', react: ourBug },
  { status: 405, reason: 'MethodNotAllowed', react: ourBug },

  { status: 410, reason: 'Unregistered', react: dead },
  { status: 410, reason: 'ExpiredToken', react: dead },

  { status: 413, reason: 'PayloadTooLarge', react: fail },

  // Concerns this one device; the app goes on.
  { status: 429, reason: 'TooManyRequests', react: retry('apns_device_throttled') },
  // The older token serves again, on another connection.
  { status: 429, reason: 'TooManyProviderTokenUpdates', react: tokenUpdates },

  { status: 500, reason: 'InternalServerError', react: retry('apns_trouble') },
  { status: 503, reason: 'ServiceUnavailable', react: retry('apns_trouble') },
  { status: 503, reason: 'Shutdown', react: shutdown },
];

/** How often a push that was provably not processed goes again at once, before it waits like any other. */
const MAX_REQUEUES = 5;

const BY_ANSWER = new Map(
  APNS_ANSWERS.map((row) => [`${row.status} ${row.reason ?? ''}`, row.react]),
);

/** What an answer of APNs means. Never the status alone: 400, 403 and 429 need the reason. */
export function toApnsOutcome(answer: ApnsAnswer): Outcome {
  const { status, reason } = answer;
  const react =
    BY_ANSWER.get(`${status} ${reason ?? ''}`) ?? BY_ANSWER.get(`${status} `) ?? byClass(status);
  return react(reason ?? `status ${status}`, answer);
}

/** Refused before it was processed: by a connection that goes away, or for want of a free stream. */
export function toUnprocessed(reason: string): Requeue {
  return toRequeue(reason, 'other_connection', MAX_REQUEUES, notProcessed(reason));
}

function byClass(status: number): Reaction {
  return status >= 500 ? retry('apns_trouble') : ourBug;
}

function sent(_: string, { providerMessageId }: ApnsAnswer): Outcome {
  return { kind: 'sent', ...(providerMessageId !== undefined && { providerMessageId }) };
}

function wrongPlace(reason: string): Gone {
  return { kind: 'gone', reason, fault: 'wrong_place' };
}

function dead(reason: string, { timestamp }: ApnsAnswer): Gone {
  const invalidSince = timestamp === undefined ? undefined : new Date(timestamp);
  const known = invalidSince !== undefined && !Number.isNaN(invalidSince.getTime());
  return { kind: 'gone', reason, fault: 'dead', ...(known && { invalidSince }) };
}

function fail(reason: string): Fail {
  return { kind: 'fail', reason };
}

/** Our validation has a hole, or the answer is new to us. */
function ourBug(reason: string): Fail {
  return { kind: 'fail', reason, alarm: true };
}

function forbidden(reason: string): Fail {
  return { kind: 'fail', reason, pauseAfter: 3 };
}

function pause(scope: PauseScope): (reason: string) => Pause {
  return (reason) => ({ kind: 'pause', reason, scope });
}

function retry(backoff: Retry['backoff']): (reason: string, answer: ApnsAnswer) => Retry {
  return (reason, { retryAfterMs }) => ({
    kind: 'retry',
    reason,
    backoff,
    bound: 'expiry',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function newToken(reason: string): Requeue {
  return toRequeue(reason, 'new_token', 1, pause('credential')(reason));
}

function newConnection(reason: string): Requeue {
  return toRequeue(reason, 'new_connection', MAX_REQUEUES, notProcessed(reason));
}

function topicDisallowed(reason: string): Requeue {
  return toRequeue(reason, 'new_connection', 1, pause('app')(reason));
}

function tokenUpdates(reason: string, answer: ApnsAnswer): Requeue {
  return toRequeue(reason, 'other_connection', 1, retry('apns_token_updates')(reason, answer));
}

function shutdown(reason: string, answer: ApnsAnswer): Requeue {
  return toRequeue(reason, 'other_connection', 1, retry('apns_trouble')(reason, answer));
}

function notProcessed(reason: string): Retry {
  return { kind: 'retry', reason, backoff: 'connection', bound: 'expiry' };
}
