import { insertMessages } from '@heliograph/db';
import { MAX_WAITING_JOBS, type Lane } from '@heliograph/queue';
import { createLogger } from '@heliograph/runtime';
import {
  makeApp,
  makeDevice,
  openTestDatabase,
  toMessage,
  type TestDatabase,
} from '@heliograph/testing';

import { startSweep } from './sweep.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

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
    const appRef = await makeApp(db);
    const { userId } = await makeDevice(db, appRef);
    const stored = await insertMessages(db, [toMessage(appRef, userId)]);
    await db
      .updateTable('deliveries')
      .set({ nextAttemptAt: new Date(0) })
      .where('id', '=', stored[0]?.id ?? '')
      .execute();
    const { sweep, announced } = openSweep(room);

    await sweep.run();

    expect(announced).toEqual(expect.arrayContaining(stored.map((d) => d.id)));
    await sweep.close();
  });
});
