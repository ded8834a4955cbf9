import { randomBytes } from 'node:crypto';
import { GOOGLE_TOKEN_URI, type RegisteredServiceAccount } from '../credentials/service-account.ts';
import { isSignedBy, parseJwt, type Jwt } from '../jwt.ts';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
/** Google: an assertion is good for at most an hour. */
const MAX_ASSERTION_SECONDS = 3600;
/** Ours; Google names no tolerance for clocks that are ahead. */
const MAX_AHEAD_SECONDS = 60;
const REMEMBERED_TOKENS = 10_000;

interface IssuedToken {
  readonly account: RegisteredServiceAccount;
  readonly expiresAtMs: number;
}

export interface OAuthError {
  readonly error: string;
  readonly error_description: string;
}

/** The service accounts of all projects, and the access tokens that were made for them. */
export class AccessTokens {
  readonly #accounts = new Map<string, RegisteredServiceAccount>();
  readonly #issued = new Map<string, IssuedToken>();

  register(account: RegisteredServiceAccount): void {
    this.#accounts.set(account.clientEmail, account);
  }

  hasProject(projectId: string): boolean {
    return [...this.#accounts.values()].some((account) => account.projectId === projectId);
  }

  /** The account whose assertion this is, or what Google would say. */
  judgeAssertion(assertion: string, nowMs: number): RegisteredServiceAccount | OAuthError {
    const jwt = parseJwt(assertion);
    if (!jwt) return invalidGrant('Bad Request');
    const account = this.#accounts.get(String(jwt.claims['iss']));
    if (!account) return invalidGrant('Invalid grant: account not found');
    // Google finds the key by its id, and takes an assertion without one.
    const { kid = account.keyId } = jwt.header;
    if (kid !== account.keyId || !isSignedBy(jwt, 'RS256', account.publicKey)) {
      return invalidGrant('Invalid JWT Signature.');
    }
    return checkClaims(jwt, nowMs / 1000) ?? account;
  }

  issue(account: RegisteredServiceAccount, seconds: number, nowMs: number): string {
    if (this.#issued.size >= REMEMBERED_TOKENS) this.#issued.clear();
    const token = `ya29.sandbox.${randomBytes(24).toString('base64url')}`;
    this.#issued.set(token, { account, expiresAtMs: nowMs + seconds * 1000 });
    return token;
  }

  /** Undefined for a token that is unknown or has expired. */
  findAccount(
    authorization: string | undefined,
    nowMs: number,
  ): RegisteredServiceAccount | undefined {
    const [scheme = '', token = ''] = authorization?.split(' ', 2) ?? [];
    const issued = scheme.toLowerCase() === 'bearer' ? this.#issued.get(token) : undefined;
    return issued && issued.expiresAtMs > nowMs ? issued.account : undefined;
  }

  /** Makes every access token invalid, as if the accounts' keys had been rolled. */
  revokeAll(): void {
    this.#issued.clear();
  }
}

function checkClaims({ claims }: Jwt, nowSeconds: number): OAuthError | undefined {
  const { aud, scope, iat, exp } = claims;
  if (aud !== GOOGLE_TOKEN_URI) return invalidGrant('Invalid JWT: Failed audience check.');
  if (typeof iat !== 'number' || typeof exp !== 'number') {
    return invalidGrant('Invalid JWT: iat and exp must be numbers.');
  }
  const isCurrent = iat <= nowSeconds + MAX_AHEAD_SECONDS && exp > nowSeconds;
  if (!isCurrent || exp > iat + MAX_ASSERTION_SECONDS) {
    return invalidGrant(
      'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.',
    );
  }
  const scopes = typeof scope === 'string' ? scope.split(' ') : [];
  if (scopes.includes(SCOPE)) return undefined;
  return { error: 'invalid_scope', error_description: `The scope must include ${SCOPE}.` };
}

function invalidGrant(description: string): OAuthError {
  return { error: 'invalid_grant', error_description: description };
}
