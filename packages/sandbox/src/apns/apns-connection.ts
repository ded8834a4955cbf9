import type { RegisteredApnsKey } from '../credentials/apns-key.ts';
import type { ApnsReason } from './apns-reasons.ts';

/** Apple: renew a provider token no more often than this, counted per connection. */
const MIN_RENEWAL_MS = 20 * 60_000;

/** What Apple remembers of one connection: whose it is, which tokens it has seen, how many streams it allows. */
export class ApnsConnection {
  #key: RegisteredApnsKey | undefined;
  #lastToken = '';
  readonly #seenTokens = new Set<string>();
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  /** What SETTINGS allows: one before the first valid token, then all; fewer again after a scripted drop. */
  streams: 'one' | 'full' | 'dropped' = 'one';

  /** It has shown a valid token. */
  get isBound(): boolean {
    return this.#key !== undefined;
  }

  /** Takes a valid token, and binds the connection to its key if it is the first. */
  admit(
    key: RegisteredApnsKey,
    authorization: string,
    nowMs: number,
    limitTokenUpdates: boolean,
  ): ApnsReason | undefined {
    if (authorization === this.#lastToken) return undefined;
    const bound = this.#key ?? key;
    if (bound.teamId !== key.teamId) return 'InvalidProviderToken';
    if (bound.keyId !== key.keyId) return 'UnrelatedKeyIdInToken';

    if (!this.#seenTokens.has(authorization)) {
      if (limitTokenUpdates && nowMs - this.#renewedAtMs < MIN_RENEWAL_MS) {
        return 'TooManyProviderTokenUpdates';
      }
      this.#seenTokens.add(authorization);
      this.#renewedAtMs = nowMs;
    }
    this.#key = bound;
    this.#lastToken = authorization;
    return undefined;
  }

  /** A client whose token was refused must be free to come with a new one at once. */
  forgetTokens(): void {
    this.#lastToken = '';
    this.#seenTokens.clear();
    this.#renewedAtMs = Number.NEGATIVE_INFINITY;
  }
}
