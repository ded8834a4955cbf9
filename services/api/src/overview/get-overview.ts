import {
  groupHeldFaults,
  listCertificates,
  listDispatchers,
  listFailureCauses,
  listOpenRunIds,
  listPauses,
  listTroubledCallbacks,
  measureLanes,
  type Db,
} from '@heliograph/db';

import { listRunProgress } from '../campaigns/run-progress.ts';

/** How many of each kind are shown. */
export const MAX_SHOWN = 50;
const HOUR_MS = 3_600_000;
const CERTIFICATE_DAYS = 30;
/** What was read is answered to whoever asks within that time. */
const BELIEVED_MS = 2_000;

export type Overview = Awaited<ReturnType<typeof readOverview>>;

/** How it stands, of an app or of all. */
export interface OverviewReader {
  read(appRef: number | undefined): Promise<Overview>;
}

/** Reads once for all who ask within two seconds: many pages may be open, and each asks again and again. */
export function createOverviewReader(deps: {
  readonly db: Db;
  readonly now: () => Date;
  readonly clockMs?: () => number;
}): OverviewReader {
  const clockMs = deps.clockMs ?? (() => performance.now());
  const kept = new Map<
    number | undefined,
    { readonly atMs: number; readonly answer: Promise<Overview> }
  >();
  return {
    read(appRef) {
      const nowMs = clockMs();
      for (const [key, { atMs }] of kept) if (nowMs - atMs >= BELIEVED_MS) kept.delete(key);
      const known = kept.get(appRef);
      if (known !== undefined) return known.answer;
      const answer = readOverview(deps, appRef);
      kept.set(appRef, { atMs: nowMs, answer });
      // A failure is told to those who wait for it, and to nobody after them.
      answer.catch(() => kept.delete(appRef));
      return answer;
    },
  };
}

/** One after another: a page of everything is not to take all of a process's connections. */
async function readOverview(
  { db, now }: { readonly db: Db; readonly now: () => Date },
  appRef: number | undefined,
) {
  const at = now();
  const since = new Date(at.getTime() - HOUR_MS);
  return {
    at,
    runs: await listRunProgress(db, await listOpenRunIds(db, appRef, MAX_SHOWN)),
    lanes: await measureLanes(db, appRef),
    failures: await listFailureCauses(db, { appRef, since, until: at, limit: MAX_SHOWN }),
    pauses: await listPauses(db, { appRef, limit: MAX_SHOWN }),
    heldFaults: await groupHeldFaults(db, appRef, MAX_SHOWN),
    // Whoever sees one app only is told nothing of the machines.
    dispatchers: appRef === undefined ? await listDispatchers(db, MAX_SHOWN) : null,
    certificates: (
      await listCertificates(db, { appRef, now: at, limit: MAX_SHOWN, offset: 0 })
    ).filter(({ daysLeft }) => daysLeft < CERTIFICATE_DAYS),
    callbacks: await listTroubledCallbacks(db, appRef, MAX_SHOWN),
  };
}
