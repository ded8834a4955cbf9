import { Refusal } from '@heliograph/core';
import { findSendingApp, type Db, type SendingApp } from '@heliograph/db';

export interface AppDirectory {
  /** The app that a message is for. Refuses an unknown one, and one without any credential. */
  getSendingApp(appId: string): Promise<SendingApp>;
}

/** A found app is believed that long; one that was not found is asked for again at once. */
const MAX_AGE_MS = 1000;
const MAX_ENTRIES = 10_000;

/** Looks apps up for sending, without a query per message. */
export function createAppDirectory(deps: { db: Db }): AppDirectory {
  const known = new Map<string, { readonly app: Promise<SendingApp>; readonly until: number }>();

  return {
    getSendingApp(appId) {
      const now = performance.now();
      const kept = known.get(appId);
      if (kept !== undefined && kept.until > now) return kept.app;

      if (known.size >= MAX_ENTRIES) known.clear();
      const app = getSendingApp(deps.db, appId);
      known.set(appId, { app, until: now + MAX_AGE_MS });
      app.catch(() => known.delete(appId));
      return app;
    },
  };
}

/** The app that something is to be sent for, as it is now. Refuses an unknown one, and one without any credential. */
export async function getSendingApp(db: Db, appId: string): Promise<SendingApp> {
  const app = await findSendingApp(db, appId);
  if (app === undefined) throw new Refusal('invalid_request', `There is no application ${appId}.`);
  if (app.routes.length === 0)
    throw new Refusal('invalid_request', `Application ${appId} has no push credentials yet.`);
  return app;
}
