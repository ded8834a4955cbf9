import { setTimeout as sleep } from 'node:timers/promises';

import { afterRequeues, type PushMessage } from '@heliograph/core';
import type { PushProvider } from '@heliograph/providers';

import type { SendLedger } from './send-ledger.ts';
import { SoakFeed } from './soak-feed.ts';
import { SoakPush } from './soak-push.ts';

/** Chunks under way at once, and their size. */
const FEEDS = 16;
const CHUNK = 1_000;
/** After a feed that was stopped, because there was no connection. */
const STOPPED_MS = 20;
const SINGLE_EVERY_MS = 20;

export interface SoakSenderDeps {
  readonly provider: PushProvider;
  readonly message: PushMessage;
  readonly ledger: SendLedger;
}

/** Sends pushes in the order of their numbers: most of them in chunks, and one by itself every now and then. */
export class SoakSender {
  readonly #deps: SoakSenderDeps;
  #given = 0;
  singles = 0;
  /** How often a feed was stopped with pushes left in it. */
  stops = 0;

  constructor(deps: SoakSenderDeps) {
    this.#deps = deps;
  }

  /** Resolves when all pushes with lower numbers than that have ended. */
  async sendUpTo(end: number): Promise<void> {
    // First, or chunks would take the last of few pushes.
    const singles = this.#sendSingles(end);
    const feeds = Array.from({ length: FEEDS }, () => this.#feedChunks(end));
    await Promise.all([singles, ...feeds]);
  }

  async #feedChunks(end: number): Promise<void> {
    while (this.#given < end) {
      const first = this.#given;
      this.#given = Math.min(first + CHUNK, end);
      const { message, ledger } = this.#deps;
      await this.#feed(new SoakFeed({ message, ledger, first, end: this.#given }));
    }
  }

  async #feed(feed: SoakFeed): Promise<void> {
    for (;;) {
      await this.#deps.provider.feed(feed);
      if (feed.isEmpty) return;
      this.stops += 1;
      await sleep(STOPPED_MS);
    }
  }

  async #sendSingles(end: number): Promise<void> {
    const underWay = new Set<Promise<void>>();
    while (this.#given < end) {
      const ended = this.#sendSingle(new SoakPush(this.#given++, this.#deps.message));
      underWay.add(ended);
      void ended.finally(() => underWay.delete(ended));
      await sleep(SINGLE_EVERY_MS);
    }
    await Promise.all(underWay);
  }

  async #sendSingle(push: SoakPush): Promise<void> {
    const { provider, ledger } = this.#deps;
    this.singles += 1;
    for (;;) {
      const attempt = await provider.send(push);
      const outcome = afterRequeues(attempt.outcome, push.requeues);
      if (outcome.kind !== 'requeue') return ledger.noteEnd(push, outcome);
      ledger.noteRequeue(push);
    }
  }
}
