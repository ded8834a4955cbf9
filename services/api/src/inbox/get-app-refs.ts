import { Refusal } from '@heliograph/core';
import { findAppRef, findAppRefs, type Db } from '@heliograph/db';

/** The row ids of the apps, in their order. Refuses an app that does not exist, and one that is named twice. */
export async function getAppRefs(db: Db, appIds: readonly string[]): Promise<readonly number[]> {
  if (new Set(appIds).size < appIds.length)
    throw new Refusal('unknown_app', 'An application is named more than once.');

  const refs = await findAppRefs(db, appIds);
  return appIds.map((appId) => refuseMissing(appId, refs.get(appId)));
}

/** Refuses an app that does not exist. */
export async function getAppRef(db: Db, appId: string): Promise<number> {
  return refuseMissing(appId, await findAppRef(db, appId));
}

function refuseMissing(appId: string, ref: number | undefined): number {
  if (ref === undefined) throw new Refusal('unknown_app', `There is no application ${appId}.`);
  return ref;
}
