import type { Outcome } from '@heliograph/core';
import { gaxios, JWT } from 'google-auth-library';
import type { Agent } from 'undici';
import { findText } from '../json.ts';
import { toConnectOutcome } from '../transport-faults.ts';
import { ConnectError } from './http.ts';
import type { ServiceAccount } from './service-account.ts';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
/** A token is replaced so long before its end; meanwhile it still serves where a new one can't be had. */
const REFRESH_AHEAD_MS = 5 * 60_000;
const LIFETIME_MS = 3_600_000;

export type TokenAnswer = { readonly token: string } | { readonly outcome: Outcome };

export interface AccessTokensDeps {
  readonly account: ServiceAccount;
  readonly tokenUrl: URL;
  readonly agent: Agent;
  readonly timeoutMs: number;
  readonly now: () => Date;
}

/** The access tokens of one service account; one request for a new one at a time. */
export class AccessTokens {
  readonly #deps: AccessTokensDeps;
  #token: { readonly text: string; readonly expiresAtMs: number } | undefined;
  #pending: Promise<TokenAnswer> | undefined;

  constructor(deps: AccessTokensDeps) {
    this.#deps = deps;
  }

  /** Never rejects: where there is no token, the outcome is that of the push that wanted it. */
  async get(): Promise<TokenAnswer> {
    const leftMs = this.#leftMs();
    if (this.#token && leftMs > REFRESH_AHEAD_MS) return { token: this.#token.text };
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = undefined;
    });
    return await this.#pending;
  }

  /** FCM refused it. Another one that came since stays. */
  discard(token: string): void {
    if (this.#token?.text === token) this.#token = undefined;
  }

  async #fetch(): Promise<TokenAnswer> {
    const { account, now } = this.#deps;
    const client = new JWT({
      email: account.clientEmail,
      key: account.privateKey,
      scopes: [SCOPE],
      additionalClaims: { aud: account.tokenUri },
      transporterOptions: {
        // The library knows one address only, and would retry by itself.
        fetchImplementation: (_, init) => this.#post(init?.body),
        retryConfig: { retry: 0 },
      },
    });
    try {
      const { access_token: text, expiry_date: expiresAtMs } = await client.authorize();
      if (!text) return toTrouble('no_access_token');
      this.#token = { text, expiresAtMs: expiresAtMs ?? now().getTime() + LIFETIME_MS };
      return { token: text };
    } catch (error) {
      const old = this.#leftMs() > 0 ? this.#token : undefined;
      return old ? { token: old.text } : toTokenFault(error);
    }
  }

  async #post(form: RequestInit['body']): Promise<Response> {
    const { tokenUrl, agent, timeoutMs } = this.#deps;
    const { statusCode, body } = await agent.request({
      origin: tokenUrl.origin,
      path: tokenUrl.pathname + tokenUrl.search,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form instanceof URLSearchParams ? form.toString() : null,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    return new Response(await body.text(), { status: statusCode });
  }

  #leftMs(): number {
    return this.#token ? this.#token.expiresAtMs - this.#deps.now().getTime() : 0;
  }
}

/** Google's refusals are the credential's fault; everything else, the token endpoint's. */
function toTokenFault(error: unknown): TokenAnswer {
  if (!(error instanceof gaxios.GaxiosError)) return toTrouble('no_access_token');
  const status = error.response?.status;
  if (status === undefined) return toUnreached(error);
  if (status === 429 || status >= 500) return toTrouble(`token endpoint status ${status}`);
  const reason = findText(error.response?.data, 'error') ?? `token endpoint status ${status}`;
  return { outcome: { kind: 'pause', reason, scope: 'credential' } };
}

function toUnreached(error: Error): TokenAnswer {
  const { cause } = error;
  if (!(cause instanceof ConnectError)) return toTrouble('token endpoint gave no answer');
  return { outcome: toConnectOutcome(cause, 'fcm_trouble') };
}

function toTrouble(reason: string): TokenAnswer {
  return { outcome: { kind: 'retry', reason, backoff: 'fcm_trouble', bound: 'expiry' } };
}
