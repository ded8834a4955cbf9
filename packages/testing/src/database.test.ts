import { sql } from 'kysely';

import { type TestDatabase, openTestDatabase } from './index.ts';

describe('openTestDatabase', () => {
  const open: TestDatabase[] = [];
  const openOne = async () => {
    const database = await openTestDatabase();
    open.push(database);
    return database;
  };
  afterAll(() => Promise.all(open.map((database) => database.close())));

  test('gives everyone a migrated database of their own, also at the same time', async () => {
    const [one, two] = await Promise.all([openOne(), openOne(), openOne()]);

    await sql`create table mine ()`.execute(one.db);
    const seen =
      await sql`select to_regclass('mine') as mine, to_regclass('devices') as devices`.execute(
        two.db,
      );

    expect(seen.rows).toEqual([{ mine: null, devices: 'devices' }]);
  });

  test('drops the database when it is closed', async () => {
    const { url, db, close } = await openTestDatabase();
    const other = await openOne();
    await sql`select 1`.execute(db);

    await close();

    const name = new URL(url).pathname.slice(1);
    const left = await sql`select 1 from pg_database where datname = ${name}`.execute(other.db);
    expect(left.rows).toEqual([]);
  });
});
