import { openTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { openDatabase } from './database.ts';
import { isContentRefused, isDatabaseUnavailable } from './unavailable.ts';

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a database that cannot be reached', () => {
  test('is told from a query that is wrong', async () => {
    const nobody = openDatabase('postgres://nobody@127.0.0.1:1/nothing', 1);
    const { db, close } = await openTestDatabase();

    const errors = [
      await errorOf(sql`select 1`.execute(nobody)),
      await errorOf(sql`select 1/0`.execute(db)),
      await errorOf(sql`select nonsense`.execute(db)),
      await errorOf(sql`select ${'a\u0000b'}::text`.execute(db)),
      // A standby, after a failover.
      await errorOf(
        db
          .transaction()
          .setAccessMode('read only')
          .execute((tx) => sql`create table nothing (id integer)`.execute(tx)),
      ),
      new RangeError('Invalid time value'),
      await errorOf(sql`select pg_terminate_backend(pg_backend_pid())`.execute(db)),
    ];

    const [nobodyThere, wrongValue, wrongQuery, nul, standby, noDate, lost] = errors;
    expect(errors.filter(isDatabaseUnavailable)).toEqual([nobodyThere, standby, lost]);
    expect(errors.filter(isContentRefused)).toEqual([wrongValue, nul, noDate]);
    expect(wrongQuery).toBeInstanceOf(Error);
    await nobody.destroy();
    await close();
  });
});
