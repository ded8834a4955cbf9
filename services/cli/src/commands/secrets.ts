import { parseArgs } from 'node:util';

import { createSecretBox, type SecretBox } from '@heliograph/core';
import {
  beginAudit,
  finishAudit,
  listKeyUse,
  openDatabase,
  resealColumn,
  SEALED_COLUMNS,
  tryWithLock,
  type Db,
  type KeyUse,
  type SealedColumn,
  type Unopened,
} from '@heliograph/db';
import { readDatabaseUrl, readKeySource } from '@heliograph/runtime';

import { CommandFailed, UsageError, type Command, type CommandIo } from '../command.ts';
import { findDatabaseFailure } from '../database-failure.ts';
import { readSettings } from '../read-settings.ts';

/** Some secrets could not be opened. */
const INCOMPLETE = 3;

const HELP = `Usage: heliograph secrets status
       heliograph secrets rotate

Says with which keys the secrets in the database are sealed, or seals all of them anew with the key in SECRETS_KEY. DATABASE_URL,
DATABASE_PASSWORD(_FILE), SECRETS_KEY(_FILE) and SECRETS_OTHER_KEYS(_FILE) are as for the services, which go on meanwhile. Killed in
the middle, rotate goes on when it is called again. A key is changed in this order:

  1  every process gets the new key in SECRETS_OTHER_KEYS, and is restarted
  2  every process gets the new key in SECRETS_KEY and the old one in SECRETS_OTHER_KEYS, and is restarted
  3  secrets rotate
  4  once secrets status shows the new key only, the old one is taken away

Both end with 0 where every secret can be opened, 1 where they failed, 3 where some could not be opened. rotate ends with 1, too,
where secrets were sealed with an old key meanwhile: a process has not got the new one yet.
`;

export const SECRETS: Command = {
  summary: 'shows and changes the keys that seal secrets in the database',
  help: HELP,
  run: secretsOf,
};

const VERBS: ReadonlyMap<string, (db: Db, box: SecretBox, io: CommandIo) => Promise<number>> =
  new Map([
    ['rotate', rotate],
    ['status', status],
  ]);

async function secretsOf(args: readonly string[], io: CommandIo): Promise<number> {
  const [verb, ...others] = parsePositionals(args);
  const run = verb === undefined ? undefined : VERBS.get(verb);
  if (run === undefined || others.length > 0) throw new UsageError('Say status or rotate.');
  const { databaseUrl, keySource } = readSettings(io, (read) => ({
    databaseUrl: readDatabaseUrl(read),
    keySource: readKeySource(read),
  }));
  const { sealing, opening } = await keySource.load();
  // One for the lock, one for the rows.
  const db = openDatabase(databaseUrl, 2);
  try {
    return await run(db, createSecretBox(sealing, opening), io);
  } catch (error) {
    const message = findDatabaseFailure(error);
    throw message === undefined ? error : new CommandFailed(message);
  } finally {
    await db.destroy();
  }
}

function parsePositionals(args: readonly string[]): readonly string[] {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: {} }).positionals;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function status(db: Db, box: SecretBox, io: CommandIo): Promise<number> {
  const use = await listKeyUse(db);
  io.out(`key ${box.sealingKeyId} seals\n`);
  for (const keyId of box.keyIds) if (keyId !== box.sealingKeyId) io.out(`key ${keyId} opens\n`);
  for (const one of use) io.out(`${toLine(one, box)}\n`);
  if (use.length === 0) io.out('There are no secrets.\n');
  return use.every(({ keyId }) => keyId !== null && box.keyIds.has(keyId)) ? 0 : INCOMPLETE;
}

function toLine({ name, keyId, secrets }: KeyUse, { keyIds }: SecretBox): string {
  const sealedWith =
    keyId === null
      ? 'no sealed secrets'
      : `key ${keyId}${keyIds.has(keyId) ? '' : ', WHICH IS NOT AT HAND'}`;
  return `${name}: ${secrets} with ${sealedWith}`;
}

async function rotate(db: Db, box: SecretBox, io: CommandIo): Promise<number> {
  let code: number | undefined;
  await tryWithLock(db, 'secrets rotate', async () => {
    code = await rotateAlone(db, box, io);
  });
  if (code === undefined) throw new CommandFailed('Another rotate runs on this database.');
  return code;
}

async function rotateAlone(db: Db, box: SecretBox, io: CommandIo): Promise<number> {
  const before = await listKeyUse(db);
  const auditId = await beginAudit(db, {
    keyId: null,
    actor: 'command line',
    requestId: null,
    action: 'admin.secrets.rotate',
    appRef: null,
    objects: { sealingKeyId: box.sealingKeyId },
  });
  const done = await resealAll(db, box);

  const unopened = [...done.values()].flatMap((one) => one.unopened);
  const left = countOthers(await listKeyUse(db), box) - unopened.length;
  const resealed = [...done.values()].reduce((sum, one) => sum + one.resealed, 0);
  const outcome = unopened.length === 0 && left <= 0 ? 'ok' : 'incomplete';
  await finishAudit(db, auditId, { outcome, made: { resealed, unopened: unopened.length } });

  for (const [column, one] of done) io.out(toReport(column, one, before, box));
  if (left > 0) {
    io.err(
      `${left} secrets were sealed with an old key meanwhile: give the new one to every process, and call this again.\n`,
    );
    return 1;
  }
  return unopened.length === 0 ? 0 : INCOMPLETE;
}

interface ColumnDone {
  resealed: number;
  unopened: readonly Unopened[];
}

/** What was saved meanwhile, or moved from one table to another, is seen by the next round. */
const MAX_ROUNDS = 10;

async function resealAll(db: Db, box: SecretBox): Promise<ReadonlyMap<SealedColumn, ColumnDone>> {
  const done = new Map(
    SEALED_COLUMNS.map((column): [SealedColumn, ColumnDone] => [
      column,
      { resealed: 0, unopened: [] },
    ]),
  );
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    let changes = 0;
    for (const [column, sum] of done) {
      const { resealed, overtaken, unopened } = await resealColumn(db, box, column);
      sum.resealed += resealed;
      sum.unopened = unopened;
      changes += resealed + overtaken;
    }
    if (changes === 0) break;
  }
  return done;
}

function countOthers(use: readonly KeyUse[], { sealingKeyId }: SecretBox): number {
  const others = use.filter(({ keyId }) => keyId !== sealingKeyId);
  return others.reduce((sum, { secrets }) => sum + secrets, 0);
}

function toReport(
  { name }: SealedColumn,
  { resealed, unopened }: ColumnDone,
  before: readonly KeyUse[],
  { sealingKeyId }: SecretBox,
): string {
  const already = before.find((use) => use.name === name && use.keyId === sealingKeyId);
  const lines = [
    `${name}: ${resealed} sealed anew, ${already?.secrets ?? 0} were already, ${unopened.length} not opened`,
    ...unopened.map(({ row, reason }) => `  ${row}: ${reason}`),
  ];
  return `${lines.join('\n')}\n`;
}
