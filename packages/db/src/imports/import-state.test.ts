import { randomUUID } from 'node:crypto';

import { makeApp, useTestDatabase } from '@heliograph/testing';

import { inImport, startImport } from './import-state.ts';

const database = useTestDatabase();

const begin = () => ({
  name: randomUUID(),
  source: 'there',
  moved: false,
  firstStep: 'devices',
});

async function countApps(): Promise<number> {
  return (await database.db.selectFrom('apps').select('id').execute()).length;
}

describe('inImport', () => {
  test('does nothing for a process whose place another has taken over', async () => {
    const { db } = database;
    const start = begin();
    const stale = await startImport(db, start);
    const other = await startImport(db, start);
    await inImport(db, other, async () => ({ step: 'devices', cursor: '7', report: {} }));
    const apps = await countApps();

    const late = inImport(db, stale, async (tx) => {
      await makeApp(tx);
      return { step: 'devices', cursor: '7', report: {} };
    });

    await expect(late).rejects.toThrow('another process has gone on with this import');
    expect(await countApps()).toBe(apps);
    expect(await startImport(db, start)).toMatchObject({ resumed: true, run: 1, cursor: '7' });
  });

  test('does nothing in a run that was finished, and the next one starts anew', async () => {
    const { db } = database;
    const start = begin();
    const first = await startImport(db, start);
    const end = { step: 'devices', cursor: null, report: { counts: 1 }, finished: true };
    await inImport(db, first, async () => end);

    await expect(inImport(db, first, async () => end)).rejects.toThrow('gone on with this import');
    expect(await startImport(db, start)).toMatchObject({
      resumed: false,
      run: 2,
      step: 'devices',
      report: {},
    });
  });

  test('runs its work again after a deadlock, and keeps what it did once', async () => {
    const { db } = database;
    const start = await startImport(db, begin());
    const before = await countApps();
    let tries = 0;

    await inImport(db, start, async (tx) => {
      await makeApp(tx);
      tries += 1;
      if (tries < 3) throw Object.assign(new Error('deadlock detected'), { code: '40P01' });
      return { step: 'devices', cursor: '1', report: {} };
    });

    expect(tries).toBe(3);
    expect(await countApps()).toBe(before + 1);
  });
});
