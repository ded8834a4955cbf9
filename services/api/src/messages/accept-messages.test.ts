import { makeApp, makeDevice, openTestDatabase, toMessage } from '@heliograph/testing';
import { sql } from 'kysely';

import { createMessageAcceptor } from './accept-messages.ts';

describe('accepting while the database is slow', () => {
  test('refuses what is too much, and stores all that it took', async () => {
    const { db, close } = await openTestDatabase();
    const app = await makeApp(db);
    const { userId } = await makeDevice(db, app);
    const announced: string[] = [];
    const lane = {
      announce: (ids: readonly string[]) => Promise.resolve(announced.push(...ids) > 0),
      room: () => Promise.resolve(1),
      close: () => Promise.resolve(),
    };
    const audience = { listensTo: () => true };
    const acceptor = createMessageAcceptor({ db, lane, audience }, 10);

    const accepting = await db.transaction().execute(async (tx) => {
      await sql`LOCK TABLE messages IN ACCESS EXCLUSIVE MODE`.execute(tx);
      // Two are under way, one statement each, and ten wait behind them.
      return Array.from({ length: 14 }, () =>
        acceptor.accept([toMessage(app, userId)]).then(
          () => 'stored',
          (refusal: Error) => refusal.message,
        ),
      );
    });
    const results = await Promise.all(accepting);

    expect(results.slice(0, 12)).toEqual(Array.from({ length: 12 }, () => 'stored'));
    expect(results.slice(12)).toEqual(
      Array.from({ length: 2 }, () => expect.stringContaining('try again later')),
    );
    expect(announced).toHaveLength(12);
    await acceptor.close();
    await close();
  });
});
