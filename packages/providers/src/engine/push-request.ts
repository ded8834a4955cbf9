import type { HeaderField, RequestTemplate } from '@heliograph/http2';

import type { Attempt } from '../push-provider.ts';
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

/** Says what the end of a request means. */
export type ToAttempt = (request: PushRequest, end: PoolEnd) => Attempt;

/** The request of one push. */
export class PushRequest extends PoolRequest {
  readonly template: RequestTemplate;
  readonly path: string;
  readonly fields: readonly HeaderField[];
  readonly body: string | Buffer;
  readonly deadlineMs: number;
  readonly bearer: string | undefined;
  readonly #toAttempt: ToAttempt;
  readonly #onAttempt: (attempt: Attempt) => void;

  constructor(parts: PushParts, toAttempt: ToAttempt, onAttempt: (attempt: Attempt) => void) {
    super();
    this.template = parts.template;
    this.path = parts.path;
    this.fields = parts.fields;
    this.body = parts.body;
    this.deadlineMs = parts.deadlineMs;
    this.bearer = parts.bearer;
    this.#toAttempt = toAttempt;
    this.#onAttempt = onAttempt;
  }

  settle(end: PoolEnd): void {
    this.#onAttempt(this.#toAttempt(this, end));
  }
}
