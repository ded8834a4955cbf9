import { createHash, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import type { ProviderLog } from '../push-provider.ts';
import { FleetTokens, type ProviderTokens } from '../tokens/fleet-tokens.ts';
import type { ProviderToken } from '../tokens/token-record.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * Apple: a token is good for 60 minutes, and a connection must not see a new one more often than every 20. Several servers
 * may use one.
 * https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
 */
const RENEW_AFTER_MS = 45 * 60_000;
const USABLE_MS = 55 * 60_000;
/** Signing takes less than a millisecond; Redis and a busy process need more. */
const LOCK_MS = 5_000;

export interface ApnsTokensDeps {
  readonly key: SigningKey;
  readonly store: TokenStore;
  readonly nowMs: () => number;
  readonly log: ProviderLog;
}

/** The provider tokens of one key of a team: one at a time for all processes that share the store. */
export function createApnsTokens({ key, store, nowMs, log }: ApnsTokensDeps): ProviderTokens {
  const privateKey = createPrivateKey(key.pem);
  return new FleetTokens({
    store,
    name: `apns:${toIdentity(key)}`,
    mint: async () => ({ token: mintApnsToken(key, privateKey, nowMs()) }),
    lockMs: LOCK_MS,
    nowMs,
    log,
  });
}

function mintApnsToken(
  { keyId, teamId }: SigningKey,
  privateKey: KeyObject,
  nowMs: number,
): ProviderToken {
  const iat = Math.floor(nowMs / 1000);
  const content = `${toPart({ alg: 'ES256', kid: keyId })}.${toPart({ iss: teamId, iat })}`;
  // JOSE wants r and s side by side, not the DER that is the default.
  const signature = sign('sha256', Buffer.from(content), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return {
    text: `${content}.${signature.toString('base64url')}`,
    issuedAtMs: iat * 1000,
    renewAtMs: iat * 1000 + RENEW_AFTER_MS,
    expiresAtMs: iat * 1000 + USABLE_MS,
  };
}

function toIdentity({ teamId, keyId, pem }: SigningKey): string {
  const fingerprint = createHash('sha256').update(pem).digest('hex');
  return createHash('sha256')
    .update(JSON.stringify([teamId, keyId, fingerprint]))
    .digest('hex');
}

function toPart(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}
