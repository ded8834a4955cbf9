import type { Outcome } from '@heliograph/core';
import type { Answered } from '@heliograph/http2';

import { InFlight } from '../in-flight.ts';
import type { Attempt, Push, PushFeed } from '../push-provider.ts';
import type { Feed } from '../session-pool/feed-line.ts';
import type { PoolEnd, Unsent } from '../session-pool/pool-request.ts';
import type { SessionPool } from '../session-pool/session-pool.ts';
import type { ProviderTokens, TokenAnswer } from '../tokens/fleet-tokens.ts';
import { PushRequest, type EndListener, type PushParts } from './push-request.ts';

/** What the ends of requests mean at a provider. */
export interface EndMeanings {
  /** Also puts right what kept a push from being processed, before it goes again. */
  readonly toOutcome: (request: PushRequest, answer: Answered) => Outcome;
  /** The provider has it not: it says so, or nothing was written. */
  readonly toUnprocessed: (reason: string) => Outcome;
  /** There was no room, no token or no connection for it. */
  readonly toUnsentOutcome: (unsent: Unsent) => Outcome;
}

export interface EngineDeps extends EndMeanings {
  readonly pool: SessionPool;
  /** Undefined where the connection itself says who we are. */
  readonly tokens: ProviderTokens | undefined;
  readonly endpoint: string;
  /** How long a single push waits for a token and a stream, ms. */
  readonly waitMs: number;
}

/** What a push becomes under a token: a request, or what came of it without asking the provider. */
export type ToParts<P extends Push> = (push: P, bearer: string | undefined) => PushParts | Attempt;

/** Sends pushes over the connections of a pool, under the provider tokens of one identity. */
export class Engine {
  readonly #deps: EngineDeps;
  readonly #sends = new InFlight(Number.POSITIVE_INFINITY);
  readonly #feeding = new Set<Promise<void>>();
  #closing = false;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
  }

  get busy(): boolean {
    return this.#sends.size > 0 || this.#feeding.size > 0 || this.#deps.pool.busy;
  }

  send<P extends Push>(push: P, toParts: ToParts<P>): Promise<Attempt> {
    return this.#sends.run(() => this.#send(push, toParts));
  }

  feed<P extends Push>(feed: PushFeed<P>, toParts: ToParts<P>): Promise<void> {
    const fed = new Promise<void>((resolve) =>
      new FedPushes({ ...this.#deps, feed, toParts, onDone: resolve }).start(),
    );
    this.#feeding.add(fed);
    void fed.then(() => this.#feeding.delete(fed));
    return fed;
  }

  /** Takes nothing more, and closes when the answers owed are there. */
  async close(): Promise<void> {
    const { pool, tokens } = this.#deps;
    this.#closing = true;
    await pool.close();
    // Whoever waits for one still hears so: nothing would be sent under it.
    tokens?.close();
    await Promise.all([this.#sends.drained(), ...this.#feeding]);
  }

  /** Ends at once what is under way, and takes nothing more. */
  abandon(): void {
    const { pool, tokens } = this.#deps;
    this.#closing = true;
    pool.abandon();
    tokens?.close();
  }

  async #send<P extends Push>(push: P, toParts: ToParts<P>): Promise<Attempt> {
    const { pool, tokens, toUnsentOutcome, endpoint } = this.#deps;
    const waitsUntilMs = performance.now() + this.#deps.waitMs;
    if (this.#closing) return { outcome: toUnsentOutcome(CLOSING), endpoint };
    const bearer = tokens?.current();
    const isMissing = tokens !== undefined && bearer === undefined;
    const answer = isMissing ? await awaitToken(tokens, this.#deps) : undefined;
    if (answer !== undefined && 'outcome' in answer) return { outcome: answer.outcome, endpoint };
    const parts = toParts(push, answer?.token ?? bearer);
    if ('outcome' in parts) return parts;
    return await new Promise((resolve) => {
      const listener = {
        onEnd: (one: PushRequest, end: PoolEnd) => resolve(toAttempt(this.#deps, one, end)),
      };
      const request = new PushRequest(push, parts, listener);
      request.waitsUntilMs = waitsUntilMs;
      pool.send(request);
    });
  }
}

const NO_TOKEN: Unsent = { kind: 'unsent', reason: 'no_token' };
const CLOSING: Unsent = { kind: 'unsent', reason: 'closing' };

function toAttempt(deps: EngineDeps, request: PushRequest, end: PoolEnd): Attempt {
  const { endpoint } = deps;
  switch (end.kind) {
    case 'unsent':
      return { outcome: deps.toUnsentOutcome(end), endpoint };
    case 'unprocessed':
      return { outcome: deps.toUnprocessed(end.reason), endpoint };
    case 'ambiguous':
      return { outcome: { kind: 'ambiguous', reason: end.reason }, endpoint };
    case 'answered':
      return { outcome: deps.toOutcome(request, end), status: end.status, endpoint };
  }
}

/** No longer than a push waits for anything. */
async function awaitToken(
  tokens: ProviderTokens,
  { waitMs, toUnsentOutcome }: EngineDeps,
): Promise<TokenAnswer> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<TokenAnswer>((resolve) => {
    timer = setTimeout(() => resolve({ outcome: toUnsentOutcome(NO_TOKEN) }), waitMs);
  });
  return await Promise.race([tokens.get(), tooLate]).finally(() => clearTimeout(timer));
}

/** A bug of ours with one push is not to take the others of its feed with it, nor the process. */
function guard(toParts: () => PushParts | Attempt, endpoint: string): PushParts | Attempt {
  try {
    return toParts();
  } catch {
    return { outcome: UNMADE, endpoint };
  }
}

const UNMADE: Outcome = {
  kind: 'retry',
  reason: 'internal_error',
  backoff: 'connection',
  bound: 'count',
};

interface FedPushesDeps<P extends Push> extends EngineDeps {
  readonly feed: PushFeed<P>;
  readonly toParts: ToParts<P>;
  readonly onDone: () => void;
}

/** A feed on its way through the pool. It waits outside of it for tokens, and for what is in flight where it has no more. */
class FedPushes<P extends Push> implements Feed, EndListener<P> {
  readonly #deps: FedPushesDeps<P>;
  #inFlight = 0;
  #state: 'fed' | 'dry' | 'awaiting_token' | 'stopped' = 'dry';

  constructor(deps: FedPushesDeps<P>) {
    this.#deps = deps;
  }

  start(): void {
    this.#state = 'fed';
    this.#deps.pool.feed(this);
  }

  next(): PushRequest<P> | undefined {
    const { tokens, feed, toParts } = this.#deps;
    const bearer = tokens?.current();
    if (tokens !== undefined && bearer === undefined) {
      this.#state = 'awaiting_token';
      void this.#awaitToken(tokens);
      return undefined;
    }
    for (let push = feed.next(); push !== undefined; push = feed.next()) {
      const parts = guard(() => toParts(push, bearer), this.#deps.endpoint);
      if ('outcome' in parts) {
        feed.settle(push, parts);
        continue;
      }
      this.#inFlight += 1;
      return new PushRequest(push, parts, this);
    }
    this.#state = 'dry';
    this.#endIfDone();
    return undefined;
  }

  stop(unsent: Unsent): void {
    this.#stop(this.#deps.toUnsentOutcome(unsent));
  }

  onEnd(request: PushRequest<P>, end: PoolEnd): void {
    const attempt = toAttempt(this.#deps, request, end);
    this.#inFlight -= 1;
    this.#deps.feed.settle(request.push, attempt);
    if (this.#state === 'stopped') return this.#endIfDone();
    // What was not processed is given again.
    if (this.#state === 'dry' && (this.#inFlight === 0 || attempt.outcome.kind === 'requeue'))
      this.start();
  }

  async #awaitToken(tokens: ProviderTokens): Promise<void> {
    const answer = await awaitToken(tokens, this.#deps);
    if ('outcome' in answer) return this.#stop(answer.outcome);
    // One that has expired already would be asked for again and again.
    if (tokens.current() === undefined) return this.stop(NO_TOKEN);
    this.start();
  }

  #stop(outcome: Outcome): void {
    this.#state = 'stopped';
    this.#deps.feed.stop(outcome);
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#inFlight === 0) this.#deps.onDone();
  }
}
