import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from '@heliograph/core';
import type { ProviderLog } from '../push-provider.ts';
import {
  isUsable,
  parseTokenRecord,
  toDueMs,
  toStep,
  withNewToken,
  withoutTooSoon,
  type ProviderToken,
  type Step,
  type TokenRecord,
} from './token-record.ts';
import type { StoredText, TokenStore } from './token-store.ts';

/** How often we look whether another process has made the token that we can't do without. */
const POLL_MS = 50;
/** Another process is making a new token, and the old one still serves. */
const BUSY_RECHECK_MS = 1_000;
/** A new token could not be had, and the old one still serves. */
const FAILED_RECHECK_MS = 10_000;
/** A token of our own serves; is the store back? */
const OWN_RECHECK_MS = 30_000;

export type TokenAnswer = { readonly token: string } | { readonly outcome: Outcome };
export type Minted = { readonly token: ProviderToken } | { readonly outcome: Outcome };

/** The tokens that prove to a provider who we are. */
export interface ProviderTokens {
  /**
   * The token to use now: the same string until another takes its place, which is prepared in the background. Undefined
   * where none is at hand: then `get` has one, or says why not.
   */
  current(): string | undefined;
  /** Never rejects: where there is no token, the outcome is that of the push that wanted it. */
  get(): Promise<TokenAnswer>;
  /** The provider called that token expired: what comes next is another one. */
  refused(token: string): void;
  /** The provider found that token to be too new: the one before serves again, and none is made for 20 minutes. */
  tooManyUpdates(token: string): void;
  /** Stops what goes on in the background. */
  close(): void;
}

export interface FleetTokensDeps {
  readonly store: TokenStore;
  /** Of the store: equal for those who may share a token, and no secret. */
  readonly name: string;
  /** Makes a token. Never rejects, and gives up when the signal aborts. */
  readonly mint: (signal: AbortSignal) => Promise<Minted>;
  /** Longer than `mint` takes. */
  readonly lockMs: number;
  readonly nowMs: () => number;
  readonly log: ProviderLog;
}

/** What came of minting, for when the store fails after it. */
interface Attempt {
  kept?: TokenRecord | undefined;
  minted?: Minted;
}

/** What to do with the lock held; a token that had to be made is to be shared, or could not be had. */
type Decided = Exclude<Step, { kind: 'mint' }> | { readonly kind: 'failed' };

/**
 * Tokens that one process of the fleet makes, and all use. While the store is out of reach a process goes on with the
 * token it has, and once that is too old with one of its own, which it shares, or gives up for the fleet's, later.
 */
export class FleetTokens implements ProviderTokens {
  readonly #deps: FleetTokensDeps;
  #held: TokenRecord | undefined;
  /** Nobody else has what we hold: it was made while the store was out of reach. */
  #isOwn = false;
  #refused: string | undefined;
  #recheckAtMs = 0;
  #pending: Promise<TokenAnswer> | undefined;
  readonly #closing = new AbortController();

  constructor(deps: FleetTokensDeps) {
    this.#deps = deps;
  }

  current(): string | undefined {
    if (!this.#held) return undefined;
    const nowMs = this.#deps.nowMs();
    if (nowMs >= this.#recheckAtMs) void this.#renew();
    return this.#findServing(this.#held, nowMs);
  }

  async get(): Promise<TokenAnswer> {
    const token = this.current();
    if (token !== undefined) return { token };
    const answer = await this.#renew();
    // A renewal that was under way already may have settled for a token that expired meanwhile, or was refused.
    const isStale = 'token' in answer && this.current() === undefined;
    return isStale ? await this.#renew() : answer;
  }

  refused(token: string): void {
    if (this.#held?.current.text !== token || this.#refused === token) return;
    this.#refused = token;
    void this.#renew();
  }

  tooManyUpdates(token: string): void {
    if (this.#held?.current.text !== token) return;
    const nowMs = this.#deps.nowMs();
    this.#hold(withoutTooSoon(this.#held, token, nowMs), this.#isOwn);
    void this.#tellTooSoon(token);
  }

  close(): void {
    this.#closing.abort();
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  #renew(): Promise<TokenAnswer> {
    const refused = this.#refused;
    this.#pending ??= this.#findNext(refused).then((answer) => {
      if ('token' in answer && this.#refused === refused) this.#refused = undefined;
      this.#pending = undefined;
      return answer;
    });
    return this.#pending;
  }

  async #findNext(refused: string | undefined): Promise<TokenAnswer> {
    const attempt: Attempt = {};
    try {
      return await this.#askFleet(attempt, refused);
    } catch (error) {
      const { name, log } = this.#deps;
      log.warn({ err: error, tokens: name }, 'provider tokens not shared: store not reached');
      return await this.#goAlone(attempt, refused);
    }
  }

  /** Rejects when the store can't be reached. */
  async #askFleet(attempt: Attempt, refused: string | undefined): Promise<TokenAnswer> {
    const { store, name, lockMs } = this.#deps;
    for (;;) {
      attempt.kept = parseTokenRecord(await store.read(name));
      const step = this.#toStep(attempt.kept, refused);
      if (step.kind === 'take') return this.#hold(step.record, false);
      if (step.kind === 'stay') return this.#hold(step.record, true);

      let decided: Decided = { kind: 'failed' };
      const updated = await store.tryUpdate(name, lockMs, async (text) => {
        decided = await this.#decide(parseTokenRecord(text), attempt, refused);
        return decided.kind === 'share' ? this.#toStored(decided.record) : undefined;
      });
      if (updated) return this.#settle(decided, attempt);
      if (this.#isClosed || this.#findOld(attempt)) return this.#makeDo(attempt, BUSY_RECHECK_MS);
      await sleep(POLL_MS);
    }
  }

  /** Under the store's lock. */
  async #decide(
    kept: TokenRecord | undefined,
    attempt: Attempt,
    refused: string | undefined,
  ): Promise<Decided> {
    const step = this.#toStep(kept, refused);
    if (step.kind !== 'mint') return step;
    attempt.minted = await this.#mint();
    if ('outcome' in attempt.minted) return { kind: 'failed' };
    return { kind: 'share', record: this.#toRecord(kept, attempt.minted.token, refused) };
  }

  #settle(decided: Decided, attempt: Attempt): TokenAnswer {
    if (decided.kind === 'failed') return this.#makeDo(attempt, FAILED_RECHECK_MS);
    return this.#hold(decided.record, decided.kind === 'stay');
  }

  /** The store is out of reach. What we have goes on; a token is made only where there is none. */
  async #goAlone(attempt: Attempt, refused: string | undefined): Promise<TokenAnswer> {
    if (this.#findOld(attempt)) return this.#makeDo(attempt, FAILED_RECHECK_MS);
    const kept = this.#held ?? attempt.kept;
    const step = toStep({ kept, own: undefined, refused, nowMs: this.#deps.nowMs() });
    if (step.kind !== 'mint' && !attempt.minted) return this.#hold(step.record, this.#isOwn);
    attempt.minted ??= await this.#mint();
    if ('outcome' in attempt.minted) return attempt.minted;
    return this.#hold(this.#toRecord(this.#held, attempt.minted.token, refused), true);
  }

  /** With the old token, where it still serves. */
  #makeDo(attempt: Attempt, recheckMs: number): TokenAnswer {
    const old = this.#findOld(attempt);
    if (!old) return attempt.minted && 'outcome' in attempt.minted ? attempt.minted : CLOSED;
    const answer = this.#hold(old, old === this.#held && this.#isOwn);
    this.#recheckAtMs = this.#deps.nowMs() + recheckMs;
    return answer;
  }

  #findOld({ kept }: Attempt): TokenRecord | undefined {
    const nowMs = this.#deps.nowMs();
    return [this.#held, kept].find((record) => record && this.#findServing(record, nowMs));
  }

  async #tellTooSoon(token: string): Promise<void> {
    const { store, name, lockMs, nowMs, log } = this.#deps;
    log.warn({ tokens: name }, 'provider token came too soon, back to the one before');
    try {
      let told = false;
      while (!told && !this.#isClosed) {
        told = await store.tryUpdate(name, lockMs, async (text) => {
          const kept = parseTokenRecord(text);
          const next = kept && withoutTooSoon(kept, token, nowMs());
          return next && next !== kept ? this.#toStored(next) : undefined;
        });
        if (!told) await sleep(POLL_MS);
      }
    } catch (error) {
      log.warn({ err: error, tokens: name }, 'provider tokens not shared: store not reached');
    }
  }

  async #mint(): Promise<Minted> {
    const minted = await this.#deps.mint(this.#closing.signal);
    if ('token' in minted) this.#deps.log.info({ tokens: this.#deps.name }, 'provider token made');
    return minted;
  }

  #hold(record: TokenRecord, isOwn: boolean): TokenAnswer {
    const { current } = this.#held ?? {};
    // The same string, not an equal one, so that it is compared by a glance.
    const next = current?.text === record.current.text ? { ...record, current } : record;
    const nowMs = this.#deps.nowMs();
    const dueMs = isOwn ? Math.min(toDueMs(next), nowMs + OWN_RECHECK_MS) : toDueMs(next);
    this.#held = next;
    this.#isOwn = isOwn;
    this.#recheckAtMs = Math.max(dueMs, nowMs + BUSY_RECHECK_MS);
    return { token: next.current.text };
  }

  #toStep(kept: TokenRecord | undefined, refused: string | undefined): Step {
    const own = this.#isOwn ? this.#held : undefined;
    return toStep({ kept, own, refused, nowMs: this.#deps.nowMs() });
  }

  #toRecord(
    kept: TokenRecord | undefined,
    token: ProviderToken,
    refused: string | undefined,
  ): TokenRecord {
    const nowMs = this.#deps.nowMs();
    return withNewToken(kept, token, { nowMs, refused: refused !== undefined });
  }

  #toStored(record: TokenRecord): StoredText {
    const { current, other, mintNotBeforeMs = 0 } = record;
    const untilMs = Math.max(current.expiresAtMs, other?.expiresAtMs ?? 0, mintNotBeforeMs);
    return { value: JSON.stringify(record), ttlMs: Math.max(untilMs - this.#deps.nowMs(), 1) };
  }

  #findServing({ current }: TokenRecord, nowMs: number): string | undefined {
    if (current.text === this.#refused || !isUsable(current, nowMs)) return undefined;
    return current.text;
  }
}

const CLOSED: TokenAnswer = {
  outcome: { kind: 'retry', reason: 'closing', backoff: 'connection', bound: 'expiry' },
};
