import { createCallbackAudience, type Db } from '@heliograph/db';
import type { FcmMapping } from '@heliograph/providers/payload';
import type { Lane } from '@heliograph/queue';
import type { Logger, Tracing } from '@heliograph/runtime';

import { createMessageAcceptor, type MessageAcceptor } from './accept-messages.ts';
import { createAppDirectory, type AppDirectory } from './app-directory.ts';
import { createOutcomeWaiter, type OutcomeWaiter } from './outcome-waiter.ts';

/** What the message verbs work with. */
export interface MessageDeps {
  readonly db: Db;
  readonly apps: AppDirectory;
  readonly acceptor: MessageAcceptor;
  readonly waiter: OutcomeWaiter;
  /** How long a synchronous request waits for its outcomes, ms. */
  readonly syncWaitMs: number;
  /** How the dispatchers map messages for FCM: it decides their size. */
  readonly fcm: FcmMapping;
  readonly now: () => Date;
  readonly log?: Logger | undefined;
  readonly tracing?: Tracing | undefined;
}

/** Builds them over an open database and lane; `acceptor` and `waiter` are to be closed before those. */
export function createMessageDeps(deps: {
  db: Db;
  lane: Lane;
  syncWaitMs: number;
  fcm?: FcmMapping;
  onError: (error: unknown) => void;
  /** Messages were refused because too many wait to be stored. */
  onFull?: () => void;
  now?: () => Date;
  log?: Logger;
  tracing?: Tracing | undefined;
}): MessageDeps {
  return {
    db: deps.db,
    apps: createAppDirectory(deps),
    acceptor: createMessageAcceptor({ ...deps, audience: createCallbackAudience(deps) }),
    waiter: createOutcomeWaiter(deps),
    syncWaitMs: deps.syncWaitMs,
    fcm: deps.fcm ?? {},
    now: deps.now ?? (() => new Date()),
    log: deps.log,
    tracing: deps.tracing,
  };
}
