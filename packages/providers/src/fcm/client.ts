import type { SecureContext } from 'node:tls';

import { findHeader, RequestTemplate, type Answered } from '@heliograph/http2';
import type { Outcome } from '@heliograph/core';
import type { Agent } from 'undici';

import type { PushClient } from '../app-provider.ts';
import { Engine } from '../engine/engine.ts';
import type { PushParts, PushRequest } from '../engine/push-request.ts';
import type { Attempt, ProviderLog, Push, PushFeed } from '../push-provider.ts';
import type { ConnectLimits } from '../session-pool/connect-budget.ts';
import type { Unsent } from '../session-pool/pool-request.ts';
import { SessionPool } from '../session-pool/session-pool.ts';
import type { ProviderTokens } from '../tokens/fleet-tokens.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import { toConnectOutcome } from '../transport-faults.ts';
import { createAccessTokens } from './access-token.ts';
import { toFcmOutcome, toUnprocessed } from './answers.ts';
import { createHttpAgent } from './http.ts';
import type { ServiceAccount } from './service-account.ts';

/** Google documents no number of streams; about 100 were seen. More connections are how more goes out. */
const MAX_SESSIONS = 8;
/** For access tokens, of which there is one request at a time. */
const TOKEN_CONNECTIONS = 1;

export interface FcmClientOptions {
  readonly url: URL;
  /** Where access tokens are fetched. */
  readonly tokenUrl: URL;
  readonly projectId: string;
  readonly account: ServiceAccount;
  readonly store: TokenStore;
  readonly secureContext: SecureContext;
  /** From the opening of a stream to its answer. */
  readonly deadlineMs: number;
  /** For a token and a stream. */
  readonly waitMs: number;
  readonly log: ProviderLog;
  readonly now: () => Date;
  readonly connectLimits?: ConnectLimits;
}

/** The JSON of a push's request. */
export type ToFcmBody = (push: Push) => string;

/** The way to FCM with one service account, over our own connections. */
export class FcmClient implements PushClient<ToFcmBody> {
  readonly #options: FcmClientOptions;
  readonly #agent: Agent;
  readonly #tokens: ProviderTokens;
  readonly #engine: Engine;
  readonly #path: string;
  #template: RequestTemplate | undefined;
  #bearer: string | undefined;

  constructor(options: FcmClientOptions) {
    const { url, projectId, secureContext, waitMs, now } = options;
    this.#options = options;
    this.#agent = createHttpAgent(TOKEN_CONNECTIONS, secureContext);
    this.#tokens = createAccessTokens({
      ...options,
      agent: this.#agent,
      nowMs: () => now().getTime(),
    });
    this.#path = `/v1/projects/${projectId}/messages:send`;
    this.#engine = new Engine({
      pool: new SessionPool({ ...options, maxSessions: MAX_SESSIONS }),
      tokens: this.#tokens,
      toOutcome: (request, answer) => this.#toOutcome(request, answer),
      toUnprocessed,
      toUnsentOutcome,
      endpoint: url.host,
      waitMs,
    });
  }

  get busy(): boolean {
    return this.#engine.busy;
  }

  send(push: Push, toBody: ToFcmBody): Promise<Attempt> {
    return this.#engine.send(push, (one, bearer) => this.#toParts(toBody(one), bearer));
  }

  feed<P extends Push>(feed: PushFeed<P>, toBody: ToFcmBody): Promise<void> {
    return this.#engine.feed(feed, (one, bearer) => this.#toParts(toBody(one), bearer));
  }

  /** Waits for the answers still owed. */
  async close(): Promise<void> {
    await this.#engine.close();
    await this.#agent.close();
  }

  abandon(): void {
    this.#engine.abandon();
  }

  #toParts(body: string, bearer: string | undefined): PushParts {
    const { deadlineMs } = this.#options;
    const template = this.#toTemplate(bearer);
    return { template, path: this.#path, fields: NO_FIELDS, body, deadlineMs, bearer };
  }

  #toTemplate(bearer: string | undefined): RequestTemplate {
    if (this.#template !== undefined && this.#bearer === bearer) return this.#template;
    this.#bearer = bearer;
    this.#template = new RequestTemplate({
      method: 'POST',
      authority: this.#options.url.host,
      shared: [
        ['content-type', 'application/json; charset=utf-8'],
        ['user-agent', 'heliograph'],
      ],
      secret: [['authorization', `Bearer ${bearer ?? ''}`]],
    });
    return this.#template;
  }

  #toOutcome({ bearer }: PushRequest, answer: Answered): Outcome {
    const outcome = this.#readAnswer(answer);
    if (outcome.kind === 'requeue' && outcome.remedy === 'new_token' && bearer !== undefined)
      this.#tokens.refused(bearer);
    return outcome;
  }

  #readAnswer({ status, fields, body, isComplete }: Answered): Outcome {
    // A success says which message it is of; without that nobody knows.
    if (status === 200 && !isComplete) return { kind: 'ambiguous', reason: 'answer_cut_off' };
    const retryAfter = findHeader(fields, 'retry-after');
    const answer = {
      status,
      body: body.toString(),
      ...(retryAfter !== undefined && { retryAfter }),
    };
    return toFcmOutcome(answer, this.#options.now());
  }
}

const NO_FIELDS: PushParts['fields'] = [];

/** Google: at least 10 s before any retry, a failed connection included. */
function toUnsentOutcome({ reason, error }: Unsent): Outcome {
  return error === undefined ? toUnprocessed(reason) : toConnectOutcome(error, 'fcm_trouble');
}
