import { sql } from 'kysely';

import { LISTENS } from './callback-writes.ts';
import type { Db } from './database.ts';

/** Whether anybody listens to what an app has to tell, so that nothing is spent on the others. */
export interface CallbackAudience {
  /** True also where it is not known. An endpoint that is new is known within seconds. */
  listensTo(appRef: number): boolean;
}

/** What is known is asked for again after that… */
const FRESH_MS = 1_000;
/** …and believed meanwhile, up to this age. */
const BELIEVED_MS = 5_000;

/** Asks only while it is asked itself. */
export function createCallbackAudience(deps: {
  readonly db: Db;
  readonly onError: (error: unknown) => void;
  readonly clockMs?: () => number;
}): CallbackAudience {
  const clockMs = deps.clockMs ?? (() => performance.now());
  let apps: ReadonlySet<number> = new Set();
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading = false;

  async function read(): Promise<void> {
    const askedAtMs = clockMs();
    try {
      apps = new Set(await listListeningApps(deps.db));
      readAtMs = askedAtMs;
    } catch (error) {
      deps.onError(error);
    } finally {
      reading = false;
    }
  }

  return {
    listensTo(appRef) {
      const age = clockMs() - readAtMs;
      if (age >= FRESH_MS && !reading) {
        reading = true;
        void read();
      }
      return age >= BELIEVED_MS || apps.has(appRef);
    },
  };
}

async function listListeningApps(db: Db): Promise<readonly number[]> {
  const { rows } = await sql<{ appRef: number }>`
    SELECT DISTINCT c.app_ref FROM callback_endpoints c WHERE ${LISTENS}`.execute(db);
  return rows.map((row) => row.appRef);
}
