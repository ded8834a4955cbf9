import type { Role } from '@heliograph/core';
import type { OpenIdIdentity } from '@heliograph/db';

/** How people sign in by a provider of OpenID Connect. */
export interface OpenIdSettings {
  /** As the provider names itself. */
  readonly issuer: URL;
  readonly clientId: string;
  /** Undefined for a public client, which has PKCE alone. */
  readonly clientSecret: string | undefined;
  /** With spaces between. */
  readonly scopes: string;
  /** What the button says. */
  readonly name: string;
  /** Where people open the console, without a slash at its end: the provider sends them back there. */
  readonly consoleUrl: string;
  readonly roleClaim: string;
  /** By the values of that claim. */
  readonly roles: ReadonlyMap<string, Role>;
}

/** Where the provider sends people back to, below the address of the console. */
export const LANDING = '/session/oidc/callback';

/** What has to be the same when somebody comes back from the provider as when they went there. */
export interface OpenIdChecks {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** What a provider says of somebody, by its own names. */
export type Claims = Readonly<Record<string, unknown>>;

/** Somebody whom the provider knows. */
export interface OpenIdPerson {
  readonly identity: OpenIdIdentity;
  readonly claims: Claims;
}

export interface OpenIdProvider {
  /** Where at the provider somebody signs in. Rejects with an `OpenIdFailure`. */
  toSignInUrl(checks: OpenIdChecks): Promise<URL>;
  /** Who came back with that answer. Rejects with an `OpenIdFailure`. */
  redeem(answer: URL, checks: OpenIdChecks): Promise<OpenIdPerson>;
}

/** Why nobody is signed in; the console has words for each. */
export const OPEN_ID_REASONS = [
  /** Somebody changed their mind at the provider, or it lets them not come to us. */
  'denied',
  /** It was begun too long ago, or elsewhere, or was used already. */
  'expired',
  /** The provider gives them no role here. */
  'no_role',
  'disabled',
  /** The provider does not answer. */
  'unavailable',
  /** What it says is not as it should be. */
  'failed',
  'throttled',
  /** It came over a network in the clear. */
  'insecure',
] as const;
export type OpenIdReason = (typeof OPEN_ID_REASONS)[number];

export class OpenIdFailure extends Error {
  override readonly name = 'OpenIdFailure';
  readonly reason: OpenIdReason;

  /** The message is for our log: it may have words of the provider's, and no secret. */
  constructor(reason: OpenIdReason, message: string = reason) {
    super(message);
    this.reason = reason;
  }
}
