import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import { forgetPresence, notePresence, type Db } from '@heliograph/db';

const EVERY_MS = 5_000;

/** Says in the database that this dispatcher is alive, until it is closed. Nothing is decided by it: operators see it. */
export function startPresence(deps: {
  readonly db: Db;
  readonly version: string | undefined;
  readonly onError: (error: unknown) => void;
}): { close(): Promise<void> } {
  const self = { id: randomUUID(), host: hostname(), version: deps.version };
  let noting: Promise<void> | undefined;

  function note(): void {
    noting ??= notePresence(deps.db, self)
      .catch(deps.onError)
      .finally(() => {
        noting = undefined;
      });
  }

  note();
  const timer = setInterval(note, EVERY_MS);
  return {
    async close() {
      clearInterval(timer);
      await noting;
      await forgetPresence(deps.db, self.id).catch(deps.onError);
    },
  };
}
