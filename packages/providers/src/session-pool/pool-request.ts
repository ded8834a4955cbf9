import type {
  ConnectError,
  HeaderField,
  Request,
  RequestEnd,
  RequestTemplate,
} from '@heliograph/http2';

import type { Session } from './session.ts';

/** Nothing of the request was written. */
export interface Unsent {
  readonly kind: 'unsent';
  /** `busy`: no stream was free in time; `closing`; `unreachable`: there is no connection, `error` says why. Others are a peer's farewell, or the sender's. */
  readonly reason: string;
  readonly error?: ConnectError;
}

export type PoolEnd = RequestEnd | Unsent;

/** A request for whatever connection of a pool has room. An object of its own per push and nothing besides: it knows where it is. */
export abstract class PoolRequest implements Request {
  abstract readonly template: RequestTemplate;
  abstract readonly path: string;
  abstract readonly fields: readonly HeaderField[];
  abstract readonly body: string | Buffer;
  abstract readonly deadlineMs: number;
  /** The connection that has it, or had it last. */
  session: Session | undefined;
  /** Whoever handed it to the connection. */
  owner: { noteEnd(request: PoolRequest, end: RequestEnd): void } | undefined;
  /** On the clock of `performance.now()`. */
  waitsUntilMs = 0;
  isFed = false;

  onEnd(end: RequestEnd): void {
    this.owner?.noteEnd(this, end);
  }

  /** Called exactly once, never from within the call that handed the request over. Must not throw. */
  abstract settle(end: PoolEnd): void;
}
