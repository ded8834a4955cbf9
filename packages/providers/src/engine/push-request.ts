import type { HeaderField, RequestTemplate } from '@heliograph/http2';

import type { Push } from '../push-provider.ts';
import { PoolRequest, type PoolEnd } from '../session-pool/pool-request.ts';

/** What is sent for a push, as one provider wants it. */
export interface PushParts {
  readonly template: RequestTemplate;
  readonly path: string;
  readonly fields: readonly HeaderField[];
  readonly body: string | Buffer;
  readonly deadlineMs: number;
  /** The token that its template holds, if any. */
  readonly bearer: string | undefined;
}

/** Who hears what became of requests. One object for many of them: there is no closure per push. */
export interface EndListener<P extends Push> {
  onEnd(request: PushRequest<P>, end: PoolEnd): void;
}

/** The request of one push. */
export class PushRequest<P extends Push = Push> extends PoolRequest {
  readonly push: P;
  readonly #parts: PushParts;
  readonly #listener: EndListener<P>;

  constructor(push: P, parts: PushParts, listener: EndListener<P>) {
    super();
    this.push = push;
    this.#parts = parts;
    this.#listener = listener;
  }

  get template(): RequestTemplate {
    return this.#parts.template;
  }

  get path(): string {
    return this.#parts.path;
  }

  get fields(): readonly HeaderField[] {
    return this.#parts.fields;
  }

  get body(): string | Buffer {
    return this.#parts.body;
  }

  get deadlineMs(): number {
    return this.#parts.deadlineMs;
  }

  get bearer(): string | undefined {
    return this.#parts.bearer;
  }

  settle(end: PoolEnd): void {
    this.#listener.onEnd(this, end);
  }
}
