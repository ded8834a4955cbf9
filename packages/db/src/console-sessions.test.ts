import { randomBytes, randomUUID } from 'node:crypto';

import { eventually, useTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import {
  findConsoleSessions,
  noteConsoleSessionUsed,
  openConsoleSession,
} from './console-sessions.ts';
import {
  changeConsoleUser,
  findConsoleUserToSignIn,
  insertConsoleUser,
  removeConsoleUser,
  type ConsoleUserChange,
} from './console-users.ts';
import type { Db } from './database.ts';

const database = useTestDatabase();

async function makeUser() {
  const name = randomUUID();
  await insertConsoleUser(database.db, { name, role: 'viewer', appRef: null, passwordHash: 'old' });
  const user = await findConsoleUserToSignIn(database.db, name);
  return { name, id: user?.id ?? 0 };
}

function open(userId: number, idHash: Buffer = randomBytes(32)): Promise<boolean> {
  return openConsoleSession(database.db, {
    userId,
    passwordHash: 'old',
    newPasswordHash: undefined,
    idHash,
    address: '127.0.0.1',
    userAgent: 'test',
    createdAt: new Date(),
    expiresAt: new Date(Date.now() + 3_600_000),
  });
}

/** Holds the user's row while somebody signs in, who waits for it, and then lets go of it. */
async function openBehind(userId: number, change: (tx: Db) => Promise<unknown>, idHash: Buffer) {
  return database.db.transaction().execute(async (tx) => {
    await change(tx);
    const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
    const opening = open(userId, idHash);
    await eventually(async () => {
      const { rows: waiting } = await sql`
        SELECT FROM pg_stat_activity WHERE ${rows[0]?.pid ?? 0}::int = ANY (pg_blocking_pids(pid))`.execute(
        database.db,
      );
      expect(waiting.length).toBe(1);
    });
    return { opening };
  });
}

describe('a session that is opened while its user changes', () => {
  test.each<[string, ConsoleUserChange]>([
    ['password', { passwordHash: 'new' }],
    ['permission to sign in', { disabledAt: new Date() }],
  ])('is none where it is the %s', async (_, change) => {
    const { name, id } = await makeUser();

    const { opening } = await openBehind(
      id,
      (tx) => changeConsoleUser(tx, name, change),
      randomBytes(32),
    );

    expect(await opening).toBe(false);
  });

  test('is none where the user goes', async () => {
    const { name, id } = await makeUser();

    const { opening } = await openBehind(id, (tx) => removeConsoleUser(tx, name), randomBytes(32));

    expect(await opening).toBe(false);
  });

  test('has the new role where it is that', async () => {
    const { name, id } = await makeUser();
    const idHash = randomBytes(32);

    const { opening } = await openBehind(
      id,
      (tx) => changeConsoleUser(tx, name, { role: 'admin' }),
      idHash,
    );

    expect(await opening).toBe(true);
    expect(await findConsoleSessions(database.db, [idHash.toString('hex')])).toMatchObject([
      { name, role: 'admin' },
    ]);
  });
});

test('the last use of a session is never set back', async () => {
  const { id } = await makeUser();
  const idHash = randomBytes(32);
  const hex = idHash.toString('hex');
  await open(id, idHash);
  const later = new Date(Date.now() + 60_000);

  await noteConsoleSessionUsed(database.db, hex, later);
  await noteConsoleSessionUsed(database.db, hex, new Date());

  expect(await findConsoleSessions(database.db, [hex])).toMatchObject([{ lastUsedAt: later }]);
});
