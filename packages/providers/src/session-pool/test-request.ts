import { RequestTemplate } from '@heliograph/http2';

import { PoolRequest, type PoolEnd } from './pool-request.ts';
import type { Feed } from './feed-line.ts';

const TEMPLATE = new RequestTemplate({ method: 'POST', authority: 'localhost', shared: [] });

/** Long against everything that a test does. */
const PATIENCE_MS = 60_000;

export class TestRequest extends PoolRequest {
  readonly template = TEMPLATE;
  readonly path: string;
  readonly fields = [];
  readonly body = '{}';
  readonly deadlineMs: number;
  readonly end: Promise<PoolEnd>;
  settled = 0;
  #resolve: (end: PoolEnd) => void = () => undefined;

  constructor(path: string, { deadlineMs = PATIENCE_MS, waitMs = PATIENCE_MS } = {}) {
    super();
    this.path = path;
    this.deadlineMs = deadlineMs;
    this.waitsUntilMs = performance.now() + waitMs;
    this.end = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  settle(end: PoolEnd): void {
    this.settled += 1;
    this.#resolve(end);
  }
}

/** A feed of so many requests, or of as many as there is room for. */
export class TestFeed implements Feed {
  readonly given: TestRequest[] = [];
  readonly name: string;
  /** Resolves when it is stopped. */
  readonly stopped: Promise<unknown>;
  asked = 0;
  /** Runs before a request is given. */
  onNext: () => void = () => undefined;
  #left: number;
  #stop: (unsent: unknown) => void = () => undefined;

  constructor(name: string, length = Number.POSITIVE_INFINITY) {
    this.name = name;
    this.#left = length;
    this.stopped = new Promise((resolve) => {
      this.#stop = resolve;
    });
  }

  next(): TestRequest | undefined {
    this.asked += 1;
    if (this.#left === 0) return undefined;
    this.#left -= 1;
    this.onNext();
    const request = new TestRequest(`/${this.name}/${this.given.length}`);
    this.given.push(request);
    return request;
  }

  stop(unsent: unknown): void {
    this.#left = 0;
    this.#stop(unsent);
  }

  /** Gives no more. */
  finish(): void {
    this.#left = 0;
  }
}
