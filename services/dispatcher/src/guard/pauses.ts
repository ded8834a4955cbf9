import {
  endProbe,
  liftAnsweredPause,
  liftPause,
  openPause,
  type CredentialScope,
  type Db,
  type PausesTable,
  type Probing,
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
    probing?: Probing,
  ): Promise<number | undefined>;
  /** The pause of this scope, if this process opened one within the last seconds: later claims see it in the database. */
  findOpenedHere(scope: CredentialScope): OpenedPause | undefined;
  /** Lets the scope go again. */
  lift(pauseId: number): Promise<void>;
}

/** What a breaker says of its probes. */
export interface ProbedPauses extends Pauses {
  /** Lets the scope go again where the pause is the endpoint's: its probe was answered. */
  liftAnswered(pauseId: number): Promise<void>;
  /** The probe met the trouble again: the next one is let through when its time has come. */
  endProbe(pauseId: number): Promise<void>;
}

/** Long enough for what was claimed before the pause; a lifting elsewhere is noticed when the delivery is recorded. */
const REMEMBERED_MS = 5_000;
const MAX_REMEMBERED = 10_000;

export function createPauses(deps: { db: Db; log: Logger; clockMs: () => number }): ProbedPauses {
  const opening = new Map<string, Promise<number | undefined>>();
  const opened = new Map<string, OpenedPause & { readonly until: number }>();

  async function openAndRemember(
    scope: CredentialScope,
    kind: PausesTable['scope'],
    reason: string,
    probing?: Probing,
  ): Promise<number | undefined> {
    const pauseId = await openPause(deps.db, scope, kind, reason, probing);
    if (pauseId === undefined) return undefined;
    if (opened.size >= MAX_REMEMBERED) opened.clear();
    if (kind !== 'third_party')
      opened.set(toKey(scope), { pauseId, reason, until: deps.clockMs() + REMEMBERED_MS });
    deps.log.error({ ...scope, pauseId, kind, reason }, 'scope paused');
    return pauseId;
  }

  function forget(pauseId: number): void {
    for (const [key, pause] of opened) if (pause.pauseId === pauseId) opened.delete(key);
  }

  return {
    open(scope, kind, reason, probing) {
      const key = `${toKey(scope)}/${kind}`;
      const underWay = opening.get(key);
      if (underWay !== undefined) return underWay;
      const open = openAndRemember(scope, kind, reason, probing).finally(() => opening.delete(key));
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
      forget(pauseId);
      if (await liftPause(deps.db, pauseId)) deps.log.info({ pauseId }, 'scope resumed');
    },

    async liftAnswered(pauseId) {
      if (!(await liftAnsweredPause(deps.db, pauseId))) return;
      forget(pauseId);
      deps.log.info({ pauseId }, 'scope resumed');
    },

    endProbe: (pauseId) => endProbe(deps.db, pauseId),
  };
}

/** One text per scope. */
export function toKey(scope: CredentialScope): string {
  return `${scope.appRef}/${scope.provider}/${scope.environment}/${scope.credentialVersion}`;
}
