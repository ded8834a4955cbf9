import type { Agent, Dispatcher } from 'undici';

import type { ProxyAnswer } from './answers.ts';

/** More of an answer is of no use to us, and may have no end. */
const MAX_ANSWER_BYTES = 4096;

export interface ProxyRequest {
  readonly origin: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** How a request ended. */
export type ProxyEnd =
  | { readonly kind: 'answered'; readonly answer: ProxyAnswer }
  /** Not a byte of it was written. */
  | { readonly kind: 'unsent'; readonly cause: EndCause }
  /** Nobody knows what became of it. */
  | { readonly kind: 'lost'; readonly cause: EndCause };

/** Ended by us, or by the error. */
export type EndCause = 'timeout' | 'aborted' | Error;

/** One request and its answer, as undici tells them. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly ended: Promise<ProxyEnd>;
  #resolve: (end: ProxyEnd) => void = () => undefined;
  #hasEnded = false;
  #controller: Dispatcher.DispatchController | undefined;
  #head: Omit<ProxyAnswer, 'body'> | undefined;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  readonly #timer: NodeJS.Timeout;

  /** `deadlineMs` is for all of it: finding the address, connecting, writing, and the answer to its last byte. */
  constructor(agent: Agent, { origin, path, headers, body }: ProxyRequest, deadlineMs: number) {
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = setTimeout(() => this.stop('timeout'), deadlineMs);
    // undici's own timeouts begin anew with every byte: the deadline above is all there is.
    const timeouts = { headersTimeout: 0, bodyTimeout: 0 };
    agent.dispatch({ origin, path, method: 'POST', headers, body, ...timeouts }, this);
  }

  /** Waits no longer. An answer whose status is known counts, whatever is missing of its body. */
  stop(cause: EndCause): void {
    this.#end(cause);
    this.#controller?.abort(new Error('stopped'));
  }

  /** undici is about to write to a connection that stands: what ends before this was never sent. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#hasEnded) controller.abort(new Error('stopped'));
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Ahead of the answer, such as 103, and any number of them.
    if (status < 200) return;
    const contentType = toOne(headers['content-type']);
    const retryAfter = toOne(headers['retry-after']);
    this.#head = {
      status,
      ...(contentType !== undefined && { contentType }),
      ...(retryAfter !== undefined && { retryAfter }),
    };
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    if (this.#bytes > MAX_ANSWER_BYTES) this.stop('aborted');
  }

  onResponseEnd(): void {
    this.#end('aborted');
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#end(error);
  }

  #end(cause: EndCause): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    this.#resolve(this.#toEnd(cause));
  }

  #toEnd(cause: EndCause): ProxyEnd {
    if (this.#head !== undefined) {
      const body = Buffer.concat(this.#chunks).toString('utf8', 0, MAX_ANSWER_BYTES);
      return { kind: 'answered', answer: { ...this.#head, body } };
    }
    return { kind: this.#controller === undefined ? 'unsent' : 'lost', cause };
  }
}

function toOne(header: string | string[] | undefined): string | undefined {
  return typeof header === 'object' ? header[0] : header;
}
