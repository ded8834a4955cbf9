import { createHash } from 'node:crypto';
import type { Outcome } from '@heliograph/core';
import { gaxios, JWT } from 'google-auth-library';
import type { Agent } from 'undici';
import { withDeadline } from '../deadline.ts';
import { findText } from '../json.ts';
import type { ProviderLog } from '../push-provider.ts';
import { FleetTokens, type Minted, type ProviderTokens } from '../tokens/fleet-tokens.ts';
import { TOKEN_TEXT } from '../tokens/token-record.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import { toConnectOutcome } from '../transport-faults.ts';
import { ConnectError } from './http.ts';
import type { ServiceAccount } from './service-account.ts';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
/** A token is replaced so long before its end; meanwhile it still serves where a new one can't be had. */
const REFRESH_AHEAD_MS = 5 * 60_000;
const LIFETIME_MS = 3_600_000;
/** Shorter than a send may take: so its push hears why there was no token, and another process can try meanwhile. */
const MAX_TIMEOUT_MS = 10_000;
const NO_ANSWER = 'token endpoint gave no answer';

export interface AccessTokensDeps {
  readonly account: ServiceAccount;
  readonly tokenUrl: URL;
  readonly agent: Agent;
  /** How long a send may take. */
  readonly deadlineMs: number;
  readonly store: TokenStore;
  readonly nowMs: () => number;
  readonly log: ProviderLog;
}

/** The access tokens of one service account: one at a time for all processes that share the store. */
export function createAccessTokens(deps: AccessTokensDeps): ProviderTokens {
  const { account, tokenUrl, deadlineMs, store, nowMs, log } = deps;
  const timeoutMs = Math.min(deadlineMs, MAX_TIMEOUT_MS);
  return new FleetTokens({
    store,
    name: `fcm:${toIdentity(account, tokenUrl)}`,
    mint: (signal) =>
      withDeadline<Minted>(
        { ms: timeoutMs, signal, late: () => toTrouble(NO_ANSWER) },
        (deadline) => fetchToken(deps, deadline),
      ),
    lockMs: timeoutMs + 1_000,
    nowMs,
    log,
  });
}

async function fetchToken(deps: AccessTokensDeps, signal: AbortSignal): Promise<Minted> {
  const { account, nowMs } = deps;
  const client = new JWT({
    email: account.clientEmail,
    key: account.privateKey,
    scopes: [SCOPE],
    additionalClaims: { aud: account.tokenUri },
    transporterOptions: {
      // The library knows one address only, and would retry by itself.
      fetchImplementation: (_, init) => post(deps, init?.body, signal),
      retryConfig: { retry: 0 },
    },
  });
  try {
    const { access_token: text, expiry_date: expiresAtMs } = await client.authorize();
    if (!text || !TOKEN_TEXT.test(text)) return toTrouble('no_access_token');
    return { token: toToken(text, nowMs(), expiresAtMs ?? nowMs() + LIFETIME_MS) };
  } catch (error) {
    return toTokenFault(error);
  }
}

/** One that lives for a short while only is replaced in the middle of it. */
function toToken(text: string, issuedAtMs: number, expiresAtMs: number) {
  const middleMs = (issuedAtMs + expiresAtMs) / 2;
  const renewAtMs = Math.max(expiresAtMs - REFRESH_AHEAD_MS, middleMs);
  return { text, issuedAtMs, renewAtMs, expiresAtMs };
}

async function post(
  { tokenUrl, agent }: AccessTokensDeps,
  form: RequestInit['body'],
  signal: AbortSignal,
): Promise<Response> {
  const { statusCode, body } = await agent.request({
    origin: tokenUrl.origin,
    path: tokenUrl.pathname + tokenUrl.search,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: form instanceof URLSearchParams ? form.toString() : null,
    signal,
  });
  return new Response(await body.text(), { status: statusCode });
}

function toIdentity({ clientEmail, privateKey, tokenUri }: ServiceAccount, tokenUrl: URL): string {
  const fingerprint = createHash('sha256').update(privateKey).digest('hex');
  const parts = [clientEmail, fingerprint, tokenUri, tokenUrl.href];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Google's refusals are the credential's fault; everything else, the token endpoint's. */
function toTokenFault(error: unknown): Minted {
  if (!(error instanceof gaxios.GaxiosError)) return toTrouble('no_access_token');
  const status = error.response?.status;
  if (status === undefined) return toUnreached(error);
  if (status === 429 || status >= 500) return toTrouble(`token endpoint status ${status}`);
  const reason = findText(error.response?.data, 'error') ?? `token endpoint status ${status}`;
  return { outcome: { kind: 'pause', reason, scope: 'credential' } };
}

function toUnreached(error: Error): Minted {
  const { cause } = error;
  if (!(cause instanceof ConnectError)) return toTrouble(NO_ANSWER);
  return { outcome: toConnectOutcome(cause, 'fcm_trouble') };
}

function toTrouble(reason: string): { readonly outcome: Outcome } {
  return { outcome: { kind: 'retry', reason, backoff: 'fcm_trouble', bound: 'expiry' } };
}
