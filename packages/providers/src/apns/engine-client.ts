import type { SecureContext } from 'node:tls';

import { findHeader, type Answered, type Goaway } from '@heliograph/http2';
import { toRetryAfterMs, type Outcome } from '@heliograph/core';
import { Engine } from '../engine/engine.ts';
import type { PushRequest } from '../engine/push-request.ts';

import { findField, findText, parseJson } from '../json.ts';
import type { Attempt, ProviderLog, Push, PushFeed } from '../push-provider.ts';
import type { ConnectLimits } from '../session-pool/connect-budget.ts';
import type { Unsent } from '../session-pool/pool-request.ts';
import { SessionPool } from '../session-pool/session-pool.ts';
import type { ClientLoad } from '../shared-clients.ts';
import type { ProviderTokens } from '../tokens/fleet-tokens.ts';
import { toConnectOutcome } from '../transport-faults.ts';
import { toApnsOutcome, toUnprocessed, type ApnsAnswer } from './answers.ts';
import type { ApnsClient, ToApnsRequest } from './client.ts';

/** Apple: spread the load over several connections, and keep them. */
const MAX_SESSIONS = 4;

export interface ApnsEngineOptions {
  readonly url: URL;
  /** With a certificate where that is what says who we are. */
  readonly secureContext: SecureContext;
  /** Undefined with a certificate. */
  readonly tokens: ProviderTokens | undefined;
  /** From the opening of a stream to its answer. */
  readonly deadlineMs: number;
  /** For a token and a stream. */
  readonly waitMs: number;
  readonly log: ProviderLog;
  readonly now: () => Date;
  readonly connectLimits?: ConnectLimits;
  readonly onGoaway?: ((goaway: Goaway) => void) | undefined;
}

/** Sends to APNs over our own connections. */
export class ApnsEngineClient implements ApnsClient {
  readonly #options: ApnsEngineOptions;
  readonly #pool: SessionPool;
  readonly #engine: Engine;

  constructor(options: ApnsEngineOptions) {
    const { url, tokens, waitMs } = options;
    this.#options = options;
    this.#pool = new SessionPool({ ...options, maxSessions: MAX_SESSIONS, toFault });
    this.#engine = new Engine({
      pool: this.#pool,
      tokens,
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

  get load(): ClientLoad {
    return this.#pool.load;
  }

  send(push: Push, toRequest: ToApnsRequest): Promise<Attempt> {
    return this.#engine.send(push, (one, bearer) => this.#toParts(one, bearer, toRequest));
  }

  feed<P extends Push>(feed: PushFeed<P>, toRequest: ToApnsRequest): Promise<void> {
    return this.#engine.feed(feed, (one, bearer) => this.#toParts(one, bearer, toRequest));
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  abandon(): void {
    this.#engine.abandon();
  }

  #toParts(push: Push, bearer: string | undefined, toRequest: ToApnsRequest) {
    const request = toRequest(push);
    if ('outcome' in request) return request;
    const { url, deadlineMs } = this.#options;
    const { token, deliveryId, prepared } = request;
    return {
      template: prepared.toTemplate(url.host, bearer),
      path: `/3/device/${token}`,
      fields: [['apns-id', deliveryId]] as const,
      body: prepared.body,
      deadlineMs,
      bearer,
    };
  }

  #toOutcome(request: PushRequest, answer: Answered): Outcome {
    const outcome = toApnsOutcome(this.#readAnswer(answer));
    if (outcome.kind === 'requeue') this.#remedy(request, outcome);
    return outcome;
  }

  #readAnswer({ status, fields, body }: Answered): ApnsAnswer {
    const providerMessageId = findHeader(fields, 'apns-id');
    const known = { status, ...(providerMessageId !== undefined && { providerMessageId }) };
    if (status === 200) return known;
    const json = parseJson(body.toString());
    const reason = findText(json, 'reason');
    const timestamp = Number(findField(json, 'timestamp') ?? Number.NaN);
    const retryAfterMs = toRetryAfterMs(findHeader(fields, 'retry-after'), this.#options.now());
    return {
      ...known,
      ...(reason !== undefined && { reason }),
      ...(Number.isFinite(timestamp) && { timestamp }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  }

  /** Puts right what kept the push from being processed, before it goes again. */
  #remedy({ session, bearer }: PushRequest, outcome: Outcome & { kind: 'requeue' }): void {
    const { tokens } = this.#options;
    if (outcome.remedy === 'new_token') {
      if (bearer !== undefined) tokens?.refused(bearer);
      return;
    }
    if (outcome.reason === TOO_MANY_UPDATES && bearer !== undefined) tokens?.tooManyUpdates(bearer);
    if (session !== undefined) this.#pool.replaceSession(session, outcome.reason);
  }
}

const TOO_MANY_UPDATES = 'TooManyProviderTokenUpdates';

/** Farewells that a new connection would earn again. Apple: their reasons are those of answers. */
const CREDENTIAL_FAULTS = new Set([
  'BadCertificate',
  'BadCertificateEnvironment',
  'BadEnvironmentKeyIdInToken',
  'InvalidProviderToken',
  'MissingProviderToken',
]);

function toFault({ debug }: Goaway): string | undefined {
  const reason = findText(parseJson(debug), 'reason');
  return reason !== undefined && CREDENTIAL_FAULTS.has(reason) ? reason : undefined;
}

function toUnsentOutcome({ reason, error }: Unsent): Outcome {
  if (CREDENTIAL_FAULTS.has(reason)) return { kind: 'pause', reason, scope: 'credential' };
  return error === undefined ? toUnprocessed(reason) : toConnectOutcome(error, 'connection');
}
