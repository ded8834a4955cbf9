import { ACCEPT, type Answer, type Refuse } from '../answers/answer.ts';
import { playAnswer } from '../answers/play-answer.ts';
import type { ScriptBook } from '../answers/script-book.ts';
import { parseJwt } from '../jwt.ts';
import type { Exchange, HttpAnswer } from '../transport/exchange.ts';
import type { AccessTokens } from './access-tokens.ts';
import { json } from './fcm-refusals.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** What the token endpoint says, by its `error`, with the status of each. */
export const TOKEN_REFUSALS = new Map([
  ['invalid_grant', 400],
  ['invalid_request', 400],
  ['invalid_scope', 400],
  ['unsupported_grant_type', 400],
  ['invalid_client', 401],
  ['unauthorized_client', 401],
  ['rate_limit_exceeded', 429],
  ['internal_failure', 500],
  ['temporarily_unavailable', 503],
]);

export interface GoogleTokenDeps {
  readonly accessTokens: AccessTokens;
  readonly scripts: ScriptBook;
  /** How long an access token is good for, in seconds. */
  readonly accessTokenSeconds: number;
  readonly now: () => number;
}

/** Google's OAuth 2 token endpoint, for the one grant that service accounts use. Scripts decide before the checks. */
export function createGoogleTokenEndpoint(deps: GoogleTokenDeps): (exchange: Exchange) => void {
  return (exchange) => {
    const form = new URLSearchParams(exchange.body);
    const assertion = form.get('assertion') ?? '';
    const issuer = parseJwt(assertion)?.claims['iss'];
    const token = typeof issuer === 'string' ? issuer : '';

    const answer: Answer = deps.scripts.take({ provider: 'google-token', token }) ?? ACCEPT;
    playAnswer(exchange, answer, {
      accept: () => exchangeAssertion(deps, form.get('grant_type'), assertion),
      refuse: (refusal) => refuse(refusal, `Scripted: ${refusal.reason}`),
    });
  };
}

function exchangeAssertion(
  { accessTokens, accessTokenSeconds, now }: GoogleTokenDeps,
  grantType: string | null,
  assertion: string,
): HttpAnswer {
  if (grantType !== JWT_BEARER) {
    return refuse({ reason: 'unsupported_grant_type' }, `Invalid grant_type: ${grantType}`);
  }
  const verdict = accessTokens.judgeAssertion(assertion, now());
  if ('error' in verdict) return refuse({ reason: verdict.error }, verdict.error_description);
  return json(200, {
    access_token: accessTokens.issue(verdict, accessTokenSeconds, now()),
    expires_in: accessTokenSeconds,
    token_type: 'Bearer',
  });
}

function refuse({ reason, status }: Pick<Refuse, 'reason' | 'status'>, description: string) {
  const body = { error: reason, error_description: description };
  return json(status ?? TOKEN_REFUSALS.get(reason) ?? 400, body);
}
