import type { ApnsEnvironment, RegisteredApnsKey } from '../credentials/apns-key.ts';
import { isSignedBy, parseJwt } from '../jwt.ts';
import type { ApnsReason } from './apns-reasons.ts';

/** Apple: a provider token is good for an hour from its `iat`. */
const MAX_AGE_SECONDS = 3600;
/** Ours; Apple names no tolerance for clocks that are ahead. */
const MAX_AHEAD_SECONDS = 60;
const REMEMBERED_TOKENS = 1_000;

interface VerifiedToken {
  readonly key: RegisteredApnsKey;
  readonly issuedAtSeconds: number;
}

export type TokenVerdict = { readonly key: RegisteredApnsKey } | { readonly reason: ApnsReason };

/** Knows the keys of all teams and judges the `authorization` header of each push. */
export class ProviderTokens {
  readonly #keys = new Map<string, RegisteredApnsKey>();
  /** Signatures are checked once per token: one takes as long as ten pushes. */
  readonly #verified = new Map<string, VerifiedToken>();

  register(key: RegisteredApnsKey): void {
    this.#keys.set(`${key.teamId}.${key.keyId}`, key);
  }

  judge(
    authorization: string | undefined,
    environment: ApnsEnvironment,
    nowMs: number,
  ): TokenVerdict {
    if (authorization === undefined) return { reason: 'MissingProviderToken' };
    const token = this.#verify(authorization);
    if (!token) return { reason: 'InvalidProviderToken' };

    const ageSeconds = nowMs / 1000 - token.issuedAtSeconds;
    if (ageSeconds > MAX_AGE_SECONDS) return { reason: 'ExpiredProviderToken' };
    if (ageSeconds < -MAX_AHEAD_SECONDS) return { reason: 'InvalidProviderToken' };
    const { key } = token;
    if (key.environment !== 'both' && key.environment !== environment) {
      return { reason: 'BadEnvironmentKeyIdInToken' };
    }
    return { key };
  }

  #verify(authorization: string): VerifiedToken | undefined {
    const known = this.#verified.get(authorization);
    if (known) return known;

    const token = this.#verifySignature(authorization);
    if (token && this.#verified.size >= REMEMBERED_TOKENS) this.#verified.clear();
    if (token) this.#verified.set(authorization, token);
    return token;
  }

  #verifySignature(authorization: string): VerifiedToken | undefined {
    const [scheme = '', text = ''] = authorization.split(' ', 2);
    const jwt = scheme.toLowerCase() === 'bearer' ? parseJwt(text) : undefined;
    if (!jwt) return undefined;

    const { iss, iat } = jwt.claims;
    const key = this.#keys.get(`${String(iss)}.${String(jwt.header['kid'])}`);
    if (!key || typeof iat !== 'number' || !isSignedBy(jwt, 'ES256', key.publicKey)) {
      return undefined;
    }
    return { key, issuedAtSeconds: iat };
  }
}
