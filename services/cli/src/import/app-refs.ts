import { takeApp, type Db } from '@heliograph/db';

import type { Finding } from './report.ts';

/** The rows of apps by their ids; remembers those that are there for good. */
export type AppRefs = (
  tx: Db,
  appIds: Iterable<string>,
) => Promise<{ readonly refs: ReadonlyMap<string, number>; readonly findings: readonly Finding[] }>;

/** Devices and campaigns of the original may belong to an app that was never configured: it is made here, without a credential. */
export function createAppRefs(): AppRefs {
  const known = new Map<string, number>();
  return async (tx, appIds) => {
    const refs = new Map(known);
    const findings: Finding[] = [];
    for (const appId of new Set(appIds)) {
      if (refs.has(appId)) continue;
      const { id, taken } = await takeApp(tx, appId);
      refs.set(appId, id);
      // What this transaction made may not come to be.
      if (taken === 'unchanged') known.set(appId, id);
      if (taken === 'added')
        findings.push(
          { kind: 'apps', counted: 'added', count: 1 },
          {
            kind: 'apps',
            remark: 'made for devices or campaigns of an app that has no credentials',
            row: appId,
          },
        );
    }
    return { refs, findings };
  };
}
