import * as client from 'openid-client';

import { findClaim } from './find-claim.ts';
import {
  LANDING,
  OpenIdFailure,
  type Claims,
  type OpenIdChecks,
  type OpenIdPerson,
  type OpenIdProvider,
  type OpenIdReason,
  type OpenIdSettings,
} from './open-id.ts';
import { toUserNames } from './to-user-names.ts';

/* The only file that imports openid-client. Nobody loads it who has no provider. */

/** For each request to the provider. */
const TIMEOUT_MS = 10_000;
/** What a provider says of itself is asked for again after so long. */
const FRESH_MS = 3_600_000;
const CLOCK_TOLERANCE_SECONDS = 30;
const MAX_PROBLEM = 300;
/** As long as the standard allows. */
const SUBJECT = /^[^\0]{1,255}$/;

export interface OpenIdProviderOptions {
  readonly timeoutMs?: number;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
}

/**
 * A provider is looked for when somebody wants to sign in by it, not before: one that is away harms nobody else. Everybody who asks meanwhile
 * waits for the same look.
 */
export function createOpenIdProvider(
  settings: OpenIdSettings,
  { timeoutMs = TIMEOUT_MS, now = () => performance.now() }: OpenIdProviderOptions = {},
): OpenIdProvider {
  let known: { readonly config: client.Configuration; readonly at: number } | undefined;
  let looking: Promise<client.Configuration> | undefined;

  async function getConfig(): Promise<client.Configuration> {
    if (known !== undefined && now() - known.at < FRESH_MS) return known.config;
    looking ??= discover(settings, timeoutMs).finally(() => (looking = undefined));
    try {
      known = { config: await looking, at: now() };
    } catch (error) {
      // What it said of itself an hour ago is most likely still so.
      if (known === undefined) throw new OpenIdFailure('unavailable', toProblem(error));
      known = { ...known, at: now() };
    }
    return known.config;
  }

  return {
    async toSignInUrl({ state, nonce, codeVerifier }) {
      return client.buildAuthorizationUrl(await getConfig(), {
        redirect_uri: settings.consoleUrl + LANDING,
        scope: settings.scopes,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      });
    },

    async redeem(answer, checks) {
      const config = await getConfig();
      try {
        return await redeem(config, settings, answer, checks);
      } catch (error) {
        throw toFailure(error);
      }
    },
  };
}

function discover(
  { issuer, clientId, clientSecret }: OpenIdSettings,
  timeoutMs: number,
): Promise<client.Configuration> {
  const metadata = { [client.clockTolerance]: CLOCK_TOLERANCE_SECONDS };
  return client.discovery(issuer, clientId, metadata, toAuthentication(clientSecret), {
    timeout: timeoutMs / 1000,
    execute: [
      // The signature of the ID token, though it comes from the provider itself over TLS.
      client.enableNonRepudiationChecks,
      // Settings let this through for this machine itself only.
      ...(issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []),
    ],
  });
}

/** In the header, which is the default of the standard, unless the provider takes the secret in the body alone. */
function toAuthentication(secret: string | undefined): client.ClientAuth {
  if (secret === undefined) return client.None();
  const [inHeader, inBody] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const taken = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (taken.includes('client_secret_basic') ? inHeader : inBody)(server, ...rest);
  };
}

async function redeem(
  config: client.Configuration,
  { roleClaim }: OpenIdSettings,
  answer: URL,
  { state, nonce, codeVerifier }: OpenIdChecks,
): Promise<OpenIdPerson> {
  const tokens = await client.authorizationCodeGrant(config, answer, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: codeVerifier,
    idTokenExpected: true,
  });
  const said = tokens.claims();
  if (said === undefined) throw new OpenIdFailure('failed', 'there is no ID token');
  if (!SUBJECT.test(said.sub)) throw new OpenIdFailure('failed', 'the subject is none');
  const identity = { issuer: said.iss, subject: said.sub };
  if (isEnough(said, roleClaim) || config.serverMetadata().userinfo_endpoint === undefined)
    return { identity, claims: said };
  // Many tell what belongs to `profile` and `email` there alone.
  const more = await client.fetchUserInfo(config, tokens.access_token, said.sub);
  return { identity, claims: { ...more, ...said } };
}

function isEnough(claims: Claims, roleClaim: string): boolean {
  const { preferred_username: name, email } = claims;
  return findClaim(claims, roleClaim) !== undefined && toUserNames({ name, email }).length > 0;
}

function toFailure(error: unknown): OpenIdFailure {
  if (error instanceof OpenIdFailure) return error;
  return new OpenIdFailure(toReason(error), toProblem(error));
}

/** What a provider answers to whom it sends back (RFC 6749, 4.1.2.1); all else is a mistake of somebody's. */
const BY_ERROR = new Map<string, OpenIdReason>([
  ['access_denied', 'denied'],
  ['temporarily_unavailable', 'unavailable'],
  ['server_error', 'unavailable'],
]);

function toReason(error: unknown): OpenIdReason {
  if (error instanceof client.AuthorizationResponseError)
    return BY_ERROR.get(error.error) ?? 'failed';
  if (error instanceof client.ResponseBodyError)
    // The code was used already, or nobody came with it for too long.
    return error.error === 'invalid_grant' ? 'expired' : 'failed';
  if (error instanceof client.ClientError) return isAway(error) ? 'unavailable' : 'failed';
  // As Node's fetch says that there is nobody.
  return error instanceof TypeError && error.message === 'fetch failed' ? 'unavailable' : 'failed';
}

function isAway({ code, cause }: client.ClientError): boolean {
  return code === 'OAUTH_TIMEOUT' || (cause instanceof Response && cause.status >= 500);
}

/** In one line, and nothing that stands beside it: the causes of such errors hold whole answers, tokens and all. */
function toProblem(error: unknown): string {
  return toMessages(error).join(': ').slice(0, MAX_PROBLEM);
}

function toMessages(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  if (error instanceof client.AuthorizationResponseError) return [error.message, error.error];
  if (error instanceof client.ResponseBodyError) return [error.message, error.error];
  if (error instanceof client.WWWAuthenticateChallengeError)
    return [error.message, ...error.cause.map(({ parameters }) => parameters.error ?? '')];
  const { cause } = error;
  if (cause instanceof Response) return [error.message, `${cause.status}`];
  return [error.message, ...toMessages(cause)];
}
