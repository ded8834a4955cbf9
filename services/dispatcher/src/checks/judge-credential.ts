import type { Outcome, Requeue } from '@heliograph/core';
import type { CheckResult } from '@heliograph/db';
import type { Credential } from '@heliograph/providers';

/** OpenSSL's name for the other side's no to our handshake. */
const TLS_ALERT = /^ERR_SSL_.*ALERT/;
const FORBIDDEN = 403;

/**
 * What a provider's answer to a push for nobody says of the credential. One that knows the token as bad has taken the credential; what
 * would pause sending is the credential's fault; anything else says nothing about it.
 */
export function judgeCredential(
  outcome: Exclude<Outcome, Requeue>,
  status: number | undefined,
  credential: Credential,
): CheckResult {
  switch (outcome.kind) {
    case 'sent':
      return { verdict: 'accepted', reason: null };
    case 'gone':
      return { verdict: 'accepted', reason: outcome.reason };
    case 'pause':
      return { verdict: toVerdict(outcome, credential), reason: outcome.reason };
    case 'fail':
      return { verdict: status === FORBIDDEN ? 'refused' : 'unanswered', reason: outcome.reason };
    case 'retry':
    case 'ambiguous':
      return { verdict: 'unanswered', reason: outcome.reason };
  }
}

function toVerdict(
  { scope, reason }: Extract<Outcome, { kind: 'pause' }>,
  credential: Credential,
): CheckResult['verdict'] {
  switch (scope) {
    case 'credential':
    case 'app':
      return 'refused';
    // The account was taken; it is the key of another provider, stored there, that was not.
    case 'third_party':
      return 'accepted';
    // No connection: a certificate may be what the other side did not like, a key was not even shown.
    case 'endpoint':
      return showsCertificate(credential) && TLS_ALERT.test(reason) ? 'refused' : 'unanswered';
  }
}

function showsCertificate(credential: Credential): boolean {
  return 'auth' in credential && credential.auth === 'certificate';
}
