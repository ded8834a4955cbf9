import type { SecureContext } from 'node:tls';
import type { Outcome } from '@heliograph/core';
import type { Agent } from 'undici';
import { withDeadline } from '../deadline.ts';
import { InFlight } from '../in-flight.ts';
import type { Attempt, ProviderLog } from '../push-provider.ts';
import type { ProviderTokens } from '../tokens/fleet-tokens.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import { listErrorCodes, toConnectOutcome } from '../transport-faults.ts';
import { createAccessTokens } from './access-token.ts';
import { toFcmOutcome, toUnsent } from './answers.ts';
import { ConnectError, createHttpAgent } from './http.ts';
import type { ServiceAccount } from './service-account.ts';

/** One request per connection: so many connections, and so many pushes at once, per service account. */
export const FCM_MAX_IN_FLIGHT = 64;

export interface FcmClientOptions {
  readonly url: URL;
  readonly tokenUrl: URL;
  readonly projectId: string;
  readonly account: ServiceAccount;
  readonly trust: SecureContext;
  readonly deadlineMs: number;
  readonly store: TokenStore;
  readonly now: () => Date;
  readonly log: ProviderLog;
}

type Unplaced = Omit<Attempt, 'endpoint'>;

/** The way to FCM with one service account. */
export class FcmClient {
  readonly #options: FcmClientOptions;
  readonly #agent: Agent;
  readonly #tokens: ProviderTokens;
  readonly #inFlight = new InFlight(FCM_MAX_IN_FLIGHT);
  #closing = false;

  constructor(options: FcmClientOptions) {
    const { account, tokenUrl, trust, deadlineMs, store, now, log } = options;
    this.#options = options;
    this.#agent = createHttpAgent(FCM_MAX_IN_FLIGHT, trust);
    this.#tokens = createAccessTokens({
      account,
      tokenUrl,
      agent: this.#agent,
      deadlineMs,
      store,
      nowMs: () => now().getTime(),
      log,
    });
  }

  get busy(): boolean {
    return this.#inFlight.size > 0;
  }

  /** `body` is the JSON of the request. */
  async send(body: string, signal: AbortSignal): Promise<Attempt> {
    const { url, deadlineMs } = this.#options;
    const endpoint = url.host;
    if (this.#closing) return { outcome: toUnsent('closing'), endpoint };

    let written = false;
    const attempt = await withDeadline<Unplaced>(
      {
        ms: deadlineMs,
        signal,
        late: (lateness) => ({ outcome: written ? toAmbiguous(lateness) : toUnsent(lateness) }),
      },
      (deadline) =>
        this.#inFlight.run(async () => {
          const access = await this.#tokens.get();
          if ('outcome' in access) return access;
          if (deadline.aborted) return { outcome: toUnsent('timeout') };
          written = true;
          return await this.#post(body, access.token, deadline);
        }),
    );
    return { ...attempt, endpoint };
  }

  /** Waits for the answers still owed. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#inFlight.drained();
    this.#tokens.close();
    await this.#agent.close();
  }

  async #post(json: string, token: string, signal: AbortSignal): Promise<Unplaced> {
    const { url, projectId, now } = this.#options;
    try {
      const { statusCode, headers, body } = await this.#agent.request({
        origin: url.origin,
        path: `/v1/projects/${projectId}/messages:send`,
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'heliograph',
        },
        body: json,
        signal,
      });
      const retryAfter = headers['retry-after'];
      const answer = {
        status: statusCode,
        body: await body.text(),
        ...(typeof retryAfter === 'string' && { retryAfter }),
      };
      const outcome = toFcmOutcome(answer, now());
      if (outcome.kind === 'requeue' && outcome.remedy === 'new_token') this.#tokens.refused(token);
      return { outcome, status: statusCode };
    } catch (error) {
      return { outcome: toTransportOutcome(error) };
    }
  }
}

/** Google: at least 10 s before any retry, a failed connection included. */
function toTransportOutcome(error: unknown): Outcome {
  if (error instanceof ConnectError) return toConnectOutcome(error, 'fcm_trouble');
  return toAmbiguous(listErrorCodes(error).at(-1) ?? 'no_answer');
}

function toAmbiguous(reason: string): Outcome {
  return { kind: 'ambiguous', reason };
}
