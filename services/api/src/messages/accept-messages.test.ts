import { setImmediate } from 'node:timers/promises';

import {
  makeApp,
  makeDevice,
  openTestDatabase,
  toMessage,
  type TestDatabase,
} from '@heliograph/testing';
import { sql } from 'kysely';

import { createMessageAcceptor, type MessageAcceptor } from './accept-messages.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

/** An acceptor for messages to a user with one device, and the deliveries that it announced. */
async function openAcceptor(maxWaiting?: number) {
  const { db } = database;
  const app = await makeApp(db);
  const { userId } = await makeDevice(db, app);
  const announced: string[] = [];
  const lane = {
    announce: (ids: readonly string[]) => Promise.resolve(announced.push(...ids) > 0),
    room: () => Promise.resolve(1),
    close: () => Promise.resolve(),
  };
  const audience = { listensTo: () => true };
  const acceptor = createMessageAcceptor({ db, lane, audience }, maxWaiting);
  return { acceptor, announced, accept: () => acceptOne(acceptor, app, userId), app };
}

function acceptOne(acceptor: MessageAcceptor, app: number, userId: string): Promise<string> {
  return acceptor.accept([toMessage(app, userId)]).then(
    () => 'stored',
    (refusal: Error) => refusal.message,
  );
}

describe('accepting', () => {
  test('stores what comes in one turn of the event loop by one statement', async () => {
    const { accept, announced, acceptor, app } = await openAcceptor();

    await Promise.all([accept(), accept(), accept()]);

    const { rows } = await sql<{ transactions: number; messages: number }>`
      SELECT count(DISTINCT xmin::text)::integer AS transactions, count(*)::integer AS messages
      FROM messages WHERE app_ref = ${app}`.execute(database.db);
    expect(rows).toEqual([{ transactions: 1, messages: 3 }]);
    expect(announced).toHaveLength(3);
    await acceptor.close();
  });

  test('is not over before what came last is stored', async () => {
    const { accept, acceptor, announced } = await openAcceptor();

    const accepting = accept();
    await acceptor.close();

    expect(announced).toHaveLength(1);
    expect(await accepting).toBe('stored');
  });
});

describe('accepting while the database is slow', () => {
  test('refuses what is too much, and stores all that it took', async () => {
    const { accept, acceptor, announced } = await openAcceptor(10);

    const accepting = await database.db.transaction().execute(async (tx) => {
      await sql`LOCK TABLE messages IN ACCESS EXCLUSIVE MODE`.execute(tx);
      const all: Promise<string>[] = [];
      // Two are under way, one statement each, and ten wait behind them.
      for (let count = 0; count < 14; count += 1) {
        all.push(accept());
        await setImmediate();
      }
      return all;
    });
    const results = await Promise.all(accepting);

    expect(results.slice(0, 12)).toEqual(Array.from({ length: 12 }, () => 'stored'));
    expect(results.slice(12)).toEqual(
      Array.from({ length: 2 }, () => expect.stringContaining('try again later')),
    );
    expect(announced).toHaveLength(12);
    await acceptor.close();
  });
});
