import { findField, findText, parseJson } from '../json.ts';

/** A token and its times, ms since the epoch. */
export interface ProviderToken {
  readonly text: string;
  readonly issuedAtMs: number;
  /** From then on a new one should be made. */
  readonly renewAtMs: number;
  /** From then on it must not be used. */
  readonly expiresAtMs: number;
}

/** What the fleet knows of the tokens of one key. */
export interface TokenRecord {
  readonly current: ProviderToken;
  /** To be used again where the provider finds that `current` came too soon. */
  readonly other?: ProviderToken;
  /** No token is made before then as long as there is one to use. */
  readonly mintNotBeforeMs?: number;
}

/** A clock that is ahead of the one that issued a token by more makes the token unusable: providers refuse what is from the future. */
const MAX_AHEAD_MS = 60_000;
/** A token that came too soon is made up for by so long a wait (Apple's rule is 20 minutes). */
const TOO_SOON_WAIT_MS = 20 * 60_000;
/** A provider that refuses each new token as expired, for our clock is wrong, must not get one per push. */
const REFUSED_WAIT_MS = 10_000;
/** How long a process keeps a token of its own while there is a shared one: its connections know the former already. */
const OWN_KEPT_MS = 20 * 60_000;

export function isUsable({ issuedAtMs, expiresAtMs }: ProviderToken, nowMs: number): boolean {
  return nowMs < expiresAtMs && issuedAtMs <= nowMs + MAX_AHEAD_MS;
}

export function isDue(record: TokenRecord, nowMs: number): boolean {
  return nowMs >= record.current.renewAtMs && !mayNotMint(record, nowMs);
}

/** When to think of renewal again. */
export function toDueMs({ current, mintNotBeforeMs = 0 }: TokenRecord): number {
  return Math.min(Math.max(current.renewAtMs, mintNotBeforeMs), current.expiresAtMs);
}

/** The record with a token that was just made, in place of one that the provider refused, or of one that is due. */
export function withNewToken(
  kept: TokenRecord | undefined,
  current: ProviderToken,
  { nowMs, refused }: { readonly nowMs: number; readonly refused: boolean },
): TokenRecord {
  if (refused) return { current, mintNotBeforeMs: nowMs + REFUSED_WAIT_MS };
  const old = kept?.current;
  return old && isUsable(old, nowMs) ? { current, other: old } : { current };
}

/** The record after the provider said of `text` that it came too soon: back to the one before, and a wait. */
export function withoutTooSoon(record: TokenRecord, text: string, nowMs: number): TokenRecord {
  const { current, other } = record;
  if (current.text !== text) return record;
  const mintNotBeforeMs = nowMs + TOO_SOON_WAIT_MS;
  if (!other || !isUsable(other, nowMs)) return { current, mintNotBeforeMs };
  return { current: other, other: current, mintNotBeforeMs };
}

export type Step =
  /** The kept record serves. */
  | { readonly kind: 'take'; readonly record: TokenRecord }
  /** Our own serves, and the fleet should have it. */
  | { readonly kind: 'share'; readonly record: TokenRecord }
  /** Our own serves for now. */
  | { readonly kind: 'stay'; readonly record: TokenRecord }
  | { readonly kind: 'mint' };

export interface Situation {
  readonly kept: TokenRecord | undefined;
  /** Made while the store was out of reach. */
  readonly own: TokenRecord | undefined;
  /** The provider refused it as expired. */
  readonly refused: string | undefined;
  readonly nowMs: number;
}

/** How to come to a token that serves. */
export function toStep({ kept, own, refused, nowMs }: Situation): Step {
  const serves = ({ current }: TokenRecord) => isUsable(current, nowMs) && current.text !== refused;
  const keptServes = kept && serves(kept) && !isDue(kept, nowMs);

  if (own && serves(own) && !isDue(own, nowMs)) {
    if (!keptServes) return { kind: 'share', record: own };
    if (nowMs < own.current.issuedAtMs + OWN_KEPT_MS) return { kind: 'stay', record: own };
  }
  if (keptServes) return { kind: 'take', record: kept };

  if (kept && mayNotMint(kept, nowMs)) {
    const { current, other } = kept;
    // A refused one, too: that is at once what the provider is asked with next, and what it will refuse again.
    if (isUsable(current, nowMs)) return { kind: 'take', record: kept };
    if (other && isUsable(other, nowMs))
      return { kind: 'take', record: { ...kept, current: other, other: current } };
  }
  return { kind: 'mint' };
}

/** Undefined for what is no record. */
export function parseTokenRecord(text: string | undefined): TokenRecord | undefined {
  if (text === undefined) return undefined;
  const json = parseJson(text);
  const current = parseToken(findField(json, 'current'));
  const other = parseToken(findField(json, 'other'));
  const mintNotBeforeMs = findField(json, 'mintNotBeforeMs');
  if (!current) return undefined;
  return {
    current,
    ...(other && { other }),
    ...(typeof mintNotBeforeMs === 'number' && { mintNotBeforeMs }),
  };
}

/** What may stand in a header: it goes there as it is. */
export const TOKEN_TEXT = /^[\x21-\x7e]+$/;

function parseToken(json: unknown): ProviderToken | undefined {
  const text = findText(json, 'text');
  const issuedAtMs = findField(json, 'issuedAtMs');
  const renewAtMs = findField(json, 'renewAtMs');
  const expiresAtMs = findField(json, 'expiresAtMs');
  if (!text || !TOKEN_TEXT.test(text) || typeof issuedAtMs !== 'number') return undefined;
  if (typeof renewAtMs !== 'number' || typeof expiresAtMs !== 'number') return undefined;
  return { text, issuedAtMs, renewAtMs, expiresAtMs };
}

function mayNotMint({ mintNotBeforeMs = 0 }: TokenRecord, nowMs: number): boolean {
  return nowMs < mintNotBeforeMs;
}
