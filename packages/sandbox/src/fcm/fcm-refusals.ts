import type { Refuse } from '../answers/answer.ts';
import type { HttpAnswer } from '../transport/exchange.ts';

/** The body of Google's errors, `error` unwrapped. */
export interface FcmError {
  readonly code: number;
  readonly message: string;
  readonly status: string;
  readonly details?: readonly Readonly<Record<string, unknown>>[];
}

const NOT_VALID = 'The registration token is not a valid FCM registration token';
const UNAVAILABLE = 'The service is currently unavailable.';
const EXHAUSTED = 'Resource has been exhausted (e.g. check quota).';

/**
 * The documented refusals by our names for them: FCM's errorCode where there is one, with an ending where one code
 * comes in several shapes.
 */
export const FCM_REFUSALS = new Map<string, FcmError>([
  ['UNREGISTERED', error(404, 'NOT_FOUND', 'Requested entity was not found.', fcm('UNREGISTERED'))],
  // A wrong project or path: says nothing about the token.
  ['NOT_FOUND', error(404, 'NOT_FOUND', 'Requested entity was not found.')],
  [
    'INVALID_TOKEN',
    invalidArgument(NOT_VALID, [{ field: 'message.token', description: NOT_VALID }]),
  ],
  ['INVALID_TOKEN_MESSAGE', error(400, 'INVALID_ARGUMENT', NOT_VALID, fcm('INVALID_ARGUMENT'))],
  // Too big a message comes without details.
  ['INVALID_ARGUMENT', error(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.')],
  [
    'INVALID_DATA',
    invalidArgument('Invalid value at message.data', [
      { field: 'message.data[0].value', description: 'Invalid value (TYPE_STRING), 1' },
    ]),
  ],
  [
    'SENDER_ID_MISMATCH',
    error(403, 'PERMISSION_DENIED', 'SenderId mismatch', fcm('SENDER_ID_MISMATCH')),
  ],
  [
    'PERMISSION_DENIED',
    error(
      403,
      'PERMISSION_DENIED',
      "Permission 'cloudmessaging.messages.create' denied on the project (or it may not exist).",
      errorInfo('IAM_PERMISSION_DENIED'),
    ),
  ],
  [
    'SERVICE_DISABLED',
    error(
      403,
      'PERMISSION_DENIED',
      'Firebase Cloud Messaging API has not been used in this project before or it is disabled.',
      errorInfo('SERVICE_DISABLED'),
    ),
  ],
  [
    'UNAUTHENTICATED',
    error(
      401,
      'UNAUTHENTICATED',
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
      errorInfo('ACCESS_TOKEN_EXPIRED'),
    ),
  ],
  ['THIRD_PARTY_AUTH_ERROR', thirdParty('THIRD_PARTY_AUTH_ERROR')],
  // The older spelling.
  ['APNS_AUTH_ERROR', thirdParty('APNS_AUTH_ERROR')],
  ['QUOTA_EXCEEDED', quotaExceeded('project:sandbox')],
  ['QUOTA_EXCEEDED_DEVICE', quotaExceeded('device:sandbox')],
  ['QUOTA_EXCEEDED_TOPIC', quotaExceeded('topic:sandbox')],
  ['RESOURCE_EXHAUSTED', error(429, 'RESOURCE_EXHAUSTED', EXHAUSTED)],
  ['INTERNAL', error(500, 'INTERNAL', 'Internal error encountered.', fcm('INTERNAL'))],
  ['BAD_GATEWAY', error(502, 'UNAVAILABLE', UNAVAILABLE)],
  ['UNAVAILABLE', error(503, 'UNAVAILABLE', UNAVAILABLE, fcm('UNAVAILABLE'))],
  ['DEADLINE_EXCEEDED', error(504, 'DEADLINE_EXCEEDED', 'Deadline exceeded.')],
  ['UNSPECIFIED_ERROR', error(500, 'UNKNOWN', 'Unknown error.', fcm('UNSPECIFIED_ERROR'))],
]);

export function statusOfRefusal(name: string): number {
  return FCM_REFUSALS.get(name)?.code ?? 400;
}

/** A scripted refusal on the wire; names that are not in the table become an FcmError with that errorCode. */
export function toFcmAnswer(refusal: Refuse): HttpAnswer {
  const known = FCM_REFUSALS.get(refusal.reason);
  const made = known ?? error(400, 'INVALID_ARGUMENT', refusal.reason, fcm(refusal.reason));
  return toHttp({ ...made, code: refusal.status ?? made.code });
}

export function toHttp(fcmError: FcmError): HttpAnswer {
  return json(fcmError.code, { error: fcmError });
}

export function json(status: number, body: unknown): HttpAnswer {
  const headers = { 'content-type': 'application/json; charset=UTF-8' };
  return { status, headers, body: JSON.stringify(body) };
}

/** 400 with its reasons field by field. */
export function invalidArgument(
  message: string,
  fieldViolations: readonly { readonly field: string; readonly description: string }[],
): FcmError {
  return error(400, 'INVALID_ARGUMENT', message, fcm('INVALID_ARGUMENT'), {
    '@type': 'type.googleapis.com/google.rpc.BadRequest',
    fieldViolations,
  });
}

export function error(
  code: number,
  status: string,
  message: string,
  ...details: readonly Readonly<Record<string, unknown>>[]
): FcmError {
  return details.length === 0 ? { code, message, status } : { code, message, status, details };
}

function fcm(errorCode: string) {
  return { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode };
}

function errorInfo(reason: string) {
  return {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason,
    domain: 'googleapis.com',
    metadata: { service: 'fcm.googleapis.com' },
  };
}

function thirdParty(errorCode: string): FcmError {
  const message = 'Auth error from APNS or Web Push Service';
  return error(401, 'UNAUTHENTICATED', message, fcm(errorCode));
}

function quotaExceeded(subject: string): FcmError {
  return error(429, 'RESOURCE_EXHAUSTED', EXHAUSTED, fcm('QUOTA_EXCEEDED'), {
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [{ subject, description: 'Message rate exceeded' }],
  });
}
