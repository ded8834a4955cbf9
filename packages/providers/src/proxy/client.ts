import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Agent } from 'undici';

import type { PushClient } from '../app-provider.ts';
import type { Attempt, Push, PushFeed } from '../push-provider.ts';
import { toProxyOutcome, type ProxyAnswer, type ProxyPolicy } from './answers.ts';
import { Exchange } from './exchange.ts';
import type { ProxyHistory } from './history.ts';
import { Places } from './places.ts';
import { Restraint } from './restraint.ts';
import { toUnansweredOutcome, toUnprocessed, toUnsent } from './unanswered.ts';

export interface ProxyClientOptions {
  readonly agent: Agent;
  readonly url: URL;
  /** `authorization`, where there is one. */
  readonly authorization: string | undefined;
  readonly policy: ProxyPolicy;
  readonly history: ProxyHistory;
  /** Requests at once, each on a connection of its own. */
  readonly connections: number;
  /** From the search for its address to the last byte of its answer. */
  readonly deadlineMs: number;
  /** For a connection that is free. */
  readonly waitMs: number;
  readonly now: () => Date;
}

/** The JSON of a push's request. */
export type ToProxyJson = (push: Push) => string;

/** The way to one customer's proxy, over connections that nobody else uses. */
export class ProxyClient implements PushClient<ToProxyJson> {
  readonly #options: ProxyClientOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #path: string;
  readonly #places: Places;
  readonly #restraint = new Restraint();
  readonly #running = new Set<Exchange>();
  #closing = false;

  constructor(options: ProxyClientOptions) {
    const { url, authorization, connections } = options;
    this.#options = options;
    this.#path = url.pathname + url.search;
    this.#places = new Places(connections);
    this.#headers = {
      'content-type': 'application/json; charset=utf-8',
      accept: 'application/json',
      'user-agent': 'heliograph',
      ...(authorization !== undefined && { authorization }),
    };
  }

  get busy(): boolean {
    return this.#running.size > 0;
  }

  async send(push: Push, toJson: ToProxyJson): Promise<Attempt> {
    const { url, waitMs } = this.#options;
    const endpoint = url.host;
    if (!(await this.#places.take(waitMs))) return { outcome: toUnsent('busy'), endpoint };
    try {
      if (this.#closing) return { outcome: toUnprocessed('closing'), endpoint };
      return await this.#post(push, toJson);
    } finally {
      this.#places.leave();
    }
  }

  async feed<P extends Push>(feed: PushFeed<P>, toJson: ToProxyJson): Promise<void> {
    const feedOne = async (): Promise<boolean> => {
      await this.#places.takeForFeed();
      try {
        const push = this.#closing ? undefined : feed.next();
        if (push === undefined) return false;
        feed.settle(push, await this.#post(push, toJson));
        return true;
      } finally {
        this.#places.leave();
      }
    };
    const feedOneAfterAnother = async () => {
      do {
        const waitMs = this.#restraint.toWaitMs();
        if (waitMs > 0) await sleep(waitMs);
      } while (await feedOne());
    };
    await Promise.all(Array.from({ length: this.#options.connections }, feedOneAfterAnother));
    if (this.#closing) feed.stop(toUnprocessed('closing'));
  }

  /** Waits for the answers still owed. */
  async close(): Promise<void> {
    this.#closing = true;
    // One that was abandoned is closed already.
    if (!this.#options.agent.destroyed) await this.#options.agent.close();
  }

  abandon(): void {
    this.#closing = true;
    for (const exchange of this.#running) exchange.stop('aborted');
    void this.#options.agent.destroy();
  }

  async #post(push: Push, toJson: ToProxyJson): Promise<Attempt> {
    const { agent, url, policy, history, deadlineMs } = this.#options;
    const headers = {
      ...this.#headers,
      'x-request-id': randomUUID(),
      'idempotency-key': push.deliveryId,
    };
    const request = { origin: url.origin, path: this.#path, headers, body: toJson(push) };
    const begun = history.begin();
    const exchange = new Exchange(agent, request, deadlineMs);
    this.#running.add(exchange);
    const end = await exchange.ended;
    this.#running.delete(exchange);

    if (end.kind === 'answered') return this.#toAnswered(end.answer);
    this.#restraint.noteFailure();
    const outcome = toUnansweredOutcome({ end, begun, policy, history });
    return { outcome, endpoint: url.host };
  }

  #toAnswered(answer: ProxyAnswer): Attempt {
    const { url, policy, history, now } = this.#options;
    const { hasSucceeded } = history;
    const outcome = toProxyOutcome({ answer, policy, hasSucceeded, now: now() });
    history.noteAnswer(outcome.kind === 'sent');
    this.#restraint.noteSuccess();
    return { outcome, status: answer.status, endpoint: url.host };
  }
}
