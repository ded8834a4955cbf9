import { findField, findText, listField, parseJson } from '../json.ts';

/** What a body of FCM says that we decide on; nothing at all where it is not FCM's JSON. */
export interface FcmError {
  /** The name of the accepted message, in a success. */
  readonly name: string | undefined;
  /** FcmError's own code. */
  readonly errorCode: string | undefined;
  /** The canonical status, such as NOT_FOUND. */
  readonly status: string | undefined;
  /** The push token is what is wrong with the request. */
  readonly blamesToken: boolean;
  /** Whose quota is used up. */
  readonly quotaScope: 'project' | 'device' | 'topic';
}

const DETAIL_TYPES = {
  fcm: 'type.googleapis.com/google.firebase.fcm.v1.FcmError',
  badRequest: 'type.googleapis.com/google.rpc.BadRequest',
  quota: 'type.googleapis.com/google.rpc.QuotaFailure',
} as const;

/** FCM names the field where it can, and says it in words where it can't. */
const TOKEN_FIELD = 'message.token';
const TOKEN_MESSAGE = /registration token is not a valid|not a valid fcm registration token/i;

export function parseFcmError(body: string): FcmError {
  const answer = parseJson(body);
  const error = findField(answer, 'error');
  const details = listField(error, 'details');
  const ofType = (type: string) => details.filter((detail) => findText(detail, '@type') === type);
  return {
    name: findText(answer, 'name'),
    errorCode: ofType(DETAIL_TYPES.fcm).map((detail) => findText(detail, 'errorCode'))[0],
    status: findText(error, 'status'),
    blamesToken:
      TOKEN_MESSAGE.test(findText(error, 'message') ?? '') ||
      ofType(DETAIL_TYPES.badRequest)
        .flatMap((detail) => listField(detail, 'fieldViolations'))
        .some((violation) => findText(violation, 'field') === TOKEN_FIELD),
    quotaScope: toQuotaScope(
      ofType(DETAIL_TYPES.quota).flatMap((detail) => listField(detail, 'violations')),
    ),
  };
}

function toQuotaScope(violations: readonly unknown[]): FcmError['quotaScope'] {
  const words = violations
    .flatMap((violation) => [findText(violation, 'subject'), findText(violation, 'description')])
    .join(' ');
  if (/\bdevice\b/i.test(words)) return 'device';
  return /\btopics?\b/i.test(words) ? 'topic' : 'project';
}
