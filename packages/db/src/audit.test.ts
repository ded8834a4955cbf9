import { randomUUID } from 'node:crypto';

import { makeApp, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { beginAudit, finishAudit, listAudit, type NewAuditEntry } from './audit.ts';

const database = useTestDatabase();

async function toEntry(changes: Partial<NewAuditEntry> = {}): Promise<NewAuditEntry> {
  return {
    keyId: randomUUID(),
    actor: 'a backend',
    requestId: randomUUID(),
    action: 'push.campaign.run.pause',
    appRef: await makeApp(database.db),
    objects: { campaignId: 7 },
    ...changes,
  };
}

describe('an entry', () => {
  test('has no outcome until its act is over, and then that and what was made', async () => {
    const { db } = database;
    const { appRef, ...entry } = await toEntry();
    const query = { appRef: appRef ?? 0, before: undefined, limit: 10 };

    const id = await beginAudit(db, { ...entry, appRef });
    const begun = await listAudit(db, query);
    await finishAudit(db, id, { outcome: 'ok', made: { runId: 'r' } });

    const listed = { ...entry, id, appId: expect.any(String), createdAt: expect.any(Date) };
    expect(begun).toEqual([{ ...listed, outcome: null, finishedAt: null }]);
    expect(await listAudit(db, query)).toEqual([
      {
        ...listed,
        objects: { campaignId: 7, runId: 'r' },
        outcome: 'ok',
        finishedAt: expect.any(Date),
      },
    ]);
  });

  test('lies in the partition of its day', async () => {
    const id = await beginAudit(database.db, await toEntry());

    const { rows } = await sql`
      SELECT tableoid::regclass::text AS place FROM audit_log WHERE id = ${id}::uuid`.execute(
      database.db,
    );

    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    expect(rows).toEqual([{ place: `audit_log_p${day}` }]);
  });
});

test('entries are listed from the latest on, page by page, each once', async () => {
  const { db } = database;
  const entry = await toEntry();
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) ids.push(await beginAudit(db, entry));
  await beginAudit(db, await toEntry());

  const pages: string[][] = [];
  let before: string | undefined;
  do {
    const page = await listAudit(db, { appRef: entry.appRef ?? 0, before, limit: 2 });
    pages.push(page.map(({ id }) => id));
    before = page.at(-1)?.id;
  } while (before !== undefined);

  expect(pages.map((page) => page.length)).toEqual([2, 2, 1, 0]);
  expect(pages.flat()).toEqual(ids.toSorted().toReversed());
});

test('entries of no app are listed among all, and of no app alone', async () => {
  const { db } = database;
  const id = await beginAudit(db, await toEntry({ appRef: null, keyId: null }));

  const all = await listAudit(db, { appRef: undefined, before: undefined, limit: 1000 });
  const ofApp = await listAudit(db, { appRef: 1, before: undefined, limit: 1000 });

  expect(all.map((entry) => entry.id)).toContain(id);
  expect(ofApp.map((entry) => entry.id)).not.toContain(id);
});
