import {
  liftPause,
  openPause,
  type CredentialScope,
  type Db,
  type PausesTable,
} from '@heliograph/db';
import type { Logger } from 'pino';

/** A pause that this process opened a moment ago. */
export interface OpenedPause {
  readonly pauseId: number;
  readonly reason: string;
}

export interface Pauses {
  /** Stops a scope, once however many answers ask for it. Undefined where its credential was replaced meanwhile. */
  open(
    scope: CredentialScope,
    kind: PausesTable['scope'],
    reason: string,
  ): Promise<number | undefined>;
  /** The pause of this scope, if this process opened one within the last seconds: later claims see it in the database. */
  findOpenedHere(scope: CredentialScope): OpenedPause | undefined;
  /** Lets the scope go again. */
  lift(pauseId: number): Promise<void>;
}

/** Long enough for what was claimed before the pause; a lifting elsewhere is noticed when the delivery is recorded. */
const REMEMBERED_MS = 5_000;
const MAX_REMEMBERED = 10_000;

export function createPauses(deps: { db: Db; log: Logger; clockMs: () => number }): Pauses {
  const opening = new Map<string, Promise<number | undefined>>();
  const opened = new Map<string, OpenedPause & { readonly until: number }>();

  async function openAndRemember(
    scope: CredentialScope,
    kind: PausesTable['scope'],
    reason: string,
  ): Promise<number | undefined> {
    const pauseId = await openPause(deps.db, scope, kind, reason);
    if (pauseId === undefined) return undefined;
    if (opened.size >= MAX_REMEMBERED) opened.clear();
    if (kind !== 'third_party')
      opened.set(toKey(scope), { pauseId, reason, until: deps.clockMs() + REMEMBERED_MS });
    deps.log.error({ ...scope, pauseId, kind, reason }, 'scope paused');
    return pauseId;
  }

  return {
    open(scope, kind, reason) {
      const key = `${toKey(scope)}/${kind}`;
      const underWay = opening.get(key);
      if (underWay !== undefined) return underWay;
      const open = openAndRemember(scope, kind, reason).finally(() => opening.delete(key));
      opening.set(key, open);
      return open;
    },

    findOpenedHere(scope) {
      const key = toKey(scope);
      const pause = opened.get(key);
      if (pause === undefined || pause.until > deps.clockMs()) return pause;
      opened.delete(key);
      return undefined;
    },

    async lift(pauseId) {
      for (const [key, pause] of opened) if (pause.pauseId === pauseId) opened.delete(key);
      if (await liftPause(deps.db, pauseId)) deps.log.info({ pauseId }, 'scope resumed');
    },
  };
}

/** One text per scope. */
export function toKey(scope: CredentialScope): string {
  return `${scope.appRef}/${scope.provider}/${scope.environment}/${scope.credentialVersion}`;
}
