import { insertPing } from '@heliograph/db';

import { getCallback, type CallbackDeps } from './callback-deps.ts';

/** Has a ping told to the owner's callbacks, as everything else is. */
export async function testCallback({ db }: Pick<CallbackDeps, 'db'>, id: number): Promise<void> {
  const { appRef, developerKeyRef } = await getCallback(db, id);
  await insertPing(db, { appRef, developerKeyRef }, id);
}
