/// <reference types="jest" />

import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { type Db, migrateToLatest, openDatabase } from '@heliograph/db';
import { sql } from 'kysely';

import { fromNpmTest, inCheckout } from './checkout.ts';

/** Any number that nobody else on the test server locks. */
const TEMPLATE_LOCK = 7_362_510;

export interface TestDatabase {
  readonly url: string;
  readonly db: Db;
  /** Closes `db` and drops the database, whoever is still connected. */
  readonly close: () => Promise<void>;
}

export interface TestDatabaseOptions {
  /** A server other than the one of `npm test`, such as one of `startOwnPostgres`. */
  readonly serverUrl?: string;
  readonly poolSize?: number;
}

/** A new database with every migration applied, copied from a template that is made once per server. */
export async function openTestDatabase({
  serverUrl = fromNpmTest('TEST_DATABASE_URL'),
  poolSize = 5,
}: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const url = databaseUrl(serverUrl, name);
  await onServer(serverUrl, async (server) => {
    const template = await ensureTemplate(server, serverUrl);
    await sql`create database ${sql.id(name)} template ${sql.id(template)}`.execute(server);
  });

  const db = openDatabase(url, poolSize);
  return {
    url,
    db,
    async close() {
      await db.destroy();
      await onServer(serverUrl, (server) =>
        sql`drop database if exists ${sql.id(name)} with (force)`.execute(server),
      );
    },
  };
}

/** A database for the tests of a file (or of a `describe`), there from before the first of them until after the last. */
export function useTestDatabase(
  options?: TestDatabaseOptions,
): Readonly<Pick<TestDatabase, 'db' | 'url'>> {
  let opened: TestDatabase | undefined;
  beforeAll(async () => {
    opened = await openTestDatabase(options);
  });
  afterAll(() => opened?.close());

  const get = () => {
    if (opened === undefined) throw new Error('The database is there within tests only.');
    return opened;
  };
  return {
    get db() {
      return get().db;
    },
    get url() {
      return get().url;
    },
  };
}

/** Test files start in parallel and all want the template: the first makes it, the others wait at the lock. */
async function ensureTemplate(server: Db, serverUrl: string): Promise<string> {
  const name = `template_${hashOfMigrations()}`;
  await sql`select pg_advisory_lock(${TEMPLATE_LOCK})`.execute(server);
  try {
    const { rows } = await sql`select 1 from pg_database where datname = ${name}`.execute(server);
    if (rows.length === 0) await makeTemplate(server, serverUrl, name);
  } finally {
    await sql`select pg_advisory_unlock(${TEMPLATE_LOCK})`.execute(server);
  }
  return name;
}

async function makeTemplate(server: Db, serverUrl: string, name: string): Promise<void> {
  const unfinished = `${name}_unfinished`;
  await sql`drop database if exists ${sql.id(unfinished)} with (force)`.execute(server);
  await sql`create database ${sql.id(unfinished)}`.execute(server);
  await onServer(databaseUrl(serverUrl, unfinished), (db) => migrateToLatest(db));
  await sql`alter database ${sql.id(unfinished)} rename to ${sql.id(name)}`.execute(server);
}

/** One connection, so that a lock taken on it is held until it is given back on it. */
async function onServer<T>(url: string, use: (db: Db) => Promise<T>): Promise<T> {
  const db = openDatabase(url, 1);
  try {
    return await use(db);
  } finally {
    await db.destroy();
  }
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function hashOfMigrations(): string {
  const folder = inCheckout('packages/db/src/migrations');
  const hash = createHash('sha256');
  for (const file of readdirSync(folder).toSorted())
    hash.update(readFileSync(path.join(folder, file)));
  return hash.digest('hex').slice(0, 16);
}
