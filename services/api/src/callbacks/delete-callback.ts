import { deleteCallbackEndpoint } from '@heliograph/db';

import { noSuchCallback, type CallbackDeps } from './callback-deps.ts';

/** A request that is under way may arrive yet. */
export async function deleteCallback({ db }: Pick<CallbackDeps, 'db'>, id: number): Promise<void> {
  if (!(await deleteCallbackEndpoint(db, id))) noSuchCallback();
}
