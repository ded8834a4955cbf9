import { MAX_WAITING_JOBS, type Lane } from '@heliograph/queue';
import { createLogger } from '@heliograph/runtime';
import { oweMessage, useTestDatabase } from '@heliograph/testing';

import { startSweep } from './sweep.ts';

const database = useTestDatabase();

function openSweep(room: number) {
  const announced: string[] = [];
  const lane: Lane = {
    announce: (ids) => Promise.resolve(announced.push(...ids) > 0),
    room: () => Promise.resolve(room),
    close: () => Promise.resolve(),
  };
  const log = createLogger('dispatcher', 'silent');
  const now = () => new Date();
  return {
    announced,
    sweep: startSweep({ db: database.db, lane, log, now, everyMs: 3_600_000 }),
  };
}

describe('the sweep', () => {
  test.each([
    ['empty', MAX_WAITING_JOBS],
    ['busy, for as long as it likes', 1],
  ])('announces what is owed longest while the lane is %s', async (_, room) => {
    const { db } = database;
    const { ids } = await oweMessage(db);
    await db
      .updateTable('deliveries')
      .set({ nextAttemptAt: new Date(0) })
      .where('id', 'in', ids)
      .execute();
    const { sweep, announced } = openSweep(room);

    await sweep.run();

    expect(announced).toEqual(expect.arrayContaining(ids));
    await sweep.close();
  });
});
