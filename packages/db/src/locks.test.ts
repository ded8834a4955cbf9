import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import { eventually, openTestDatabase } from '@heliograph/testing';
import { sql } from 'kysely';

import { MAX_SILENCE_MS, openDatabase } from './database.ts';
import { tryWithLock } from './locks.ts';

describe('a process that falls silent', () => {
  test('loses its transaction, whatever it had said in it', async () => {
    const { db, close } = await openTestDatabase();
    const readTimeout = sql<{ timeout: string }>`
      SELECT setting AS timeout FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'`;

    const { rows } = await db.transaction().execute((tx) => readTimeout.execute(tx));

    expect(rows).toEqual([{ timeout: String(MAX_SILENCE_MS) }]);
    await close();
  });

  test('loses what a statement holds whose answer it does not read', async () => {
    const { db, url, close } = await openTestDatabase();
    const proxy = await openProxy(url);
    const silent = openDatabase(proxy.url, 1);
    try {
      await sql`SELECT 1`.execute(silent);
      const isFree = async () => {
        const { rows } = await sql<{ locked: boolean }>`
          SELECT pg_try_advisory_xact_lock(1) AS locked`.execute(db);
        return rows[0]?.locked;
      };

      proxy.fallSilent();
      // Far more than fits into the sockets.
      sql`SELECT pg_advisory_xact_lock(1), repeat('x', 100000) FROM generate_series(1, 1000)`
        .execute(silent)
        .catch(() => undefined);
      await eventually(async () => expect(await isFree()).toBe(false));

      await eventually(async () => expect(await isFree()).toBe(true), {
        timeoutMs: 4 * MAX_SILENCE_MS,
      });
    } finally {
      proxy.close();
      await silent.destroy();
      await close();
    }
  });

  test('is told from one that works for long under a lock', async () => {
    const { db, close } = await openTestDatabase();
    const others: boolean[] = [];
    const work = async () => {
      await new Promise((resolve) => setTimeout(resolve, MAX_SILENCE_MS + 2_000));
      others.push(await tryWithLock(db, 'long work', () => Promise.resolve()));
    };

    const worked = await tryWithLock(db, 'long work', work);

    expect({ worked, others }).toEqual({ worked: true, others: [false] });
    expect(await tryWithLock(db, 'long work', () => Promise.resolve())).toBe(true);
    await close();
  });
});

/** Stands for a process that may be stopped: then it takes nothing any more that the server says, and does not hang up. */
async function openProxy(url: string) {
  const { hostname, port } = new URL(url);
  const servers: Socket[] = [];
  const clients: Socket[] = [];
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) socket.on('error', () => undefined);
    clients.push(client);
    servers.push(server);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');

  const own = new URL(url);
  own.port = String((proxy.address() as AddressInfo).port);
  return {
    url: own.href,
    fallSilent() {
      for (const server of servers) server.unpipe().pause();
    },
    close() {
      for (const socket of [...clients, ...servers]) socket.destroy();
      proxy.close();
    },
  };
}
