import { OUTCOME_CODES } from '@heliograph/core';
import { PROVIDER_REASONS } from '@heliograph/providers';

/** Those of our own that stand in docs/outcomes.md, and how connections end. Whatever else comes off the network counts as `other`. */
const OWN_REASONS = [
  'aborted',
  'activation_inactive',
  'address_refused',
  'answer_cut_off',
  'answered_while_closing',
  'busy',
  'certificate_expired',
  'certificate_refused',
  'closing',
  'connect_failed',
  'connection_closed',
  'connection_closing',
  'goaway',
  'internal_error',
  'no_access_token',
  'no_answer',
  'no_credential',
  'no_streams',
  'no_token',
  'not_configured',
  'not_written',
  'provider_busy',
  'provider_trouble',
  'refused_stream',
  'replayed',
  'secrets_key_missing',
  'silence',
  'timeout',
  'token_uri_not_allowed',
  'too_many_invalid_tokens',
  'topic_not_in_certificate',
  'unexpected_success',
  'unreachable',
  'unrecordable',
  'unusable_bundle',
  'unusable_key',
  'unusable_project_id',
  'unwritable',
  'user_erased',
];

/** Node's and OpenSSL's, and the statuses of customers' proxies, that are met in practice. */
const WIRE_REASONS = [
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ETIMEDOUT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'http_401',
  'http_408',
  'http_429',
  'http_504',
];

const CATALOGUE: ReadonlySet<string> = new Set([
  ...OUTCOME_CODES.flatMap(({ reason }) => reason ?? []),
  ...PROVIDER_REASONS,
  ...OWN_REASONS,
  ...WIRE_REASONS,
]);

/** A reason as a label: one of those we know, `other`, or empty where there is none. So there are about a hundred of them. */
export function toReasonLabel(reason: string | null): string {
  if (reason === null) return '';
  return CATALOGUE.has(reason) ? reason : 'other';
}
