import { sql } from 'kysely';

import type { Db } from './database.ts';
import { inScope } from './in-scope.ts';
import type { CredentialScope } from './schema.ts';

const MIN_FAULTS_PER_HOUR = 50;
const MAX_DEVICE_SHARE = 0.05;
const ANSWER_WINDOW = 200;
const MAX_WRONG_PLACE_SHARE = 0.2;
const MAX_DEAD_SHARE = 0.5;
/** Below a full window the share must be this high, over so many answers: one bad token of three says nothing. */
const SMALL_WINDOW_ANSWERS = 10;
const SMALL_WINDOW_SHARE = 0.5;

export interface AnswerCount {
  readonly scope: CredentialScope;
  readonly answers: number;
  readonly wrongPlace: number;
  readonly dead: number;
  /** Of all, those that said no more than that the provider was in trouble. */
  readonly trouble: number;
}

/** Adds to what the guard knows of the scopes' last answers. */
export async function noteAnswers(db: Db, counts: readonly AnswerCount[]): Promise<void> {
  if (counts.length === 0) return;
  await db
    .insertInto('answerCounts')
    .values(counts.map(({ scope, ...count }) => ({ ...scope, ...count })))
    .execute();
}

/** Whether any dispatcher had an answer in the scope in the last `withinMs` that was no trouble at the provider. */
export async function hadAnswers(
  db: Db,
  scope: CredentialScope,
  withinMs: number,
): Promise<boolean> {
  const found = await db
    .selectFrom('answerCounts')
    .select('id')
    .where(inScope(scope))
    .where(sql<boolean>`answers > trouble`)
    .where(sql<boolean>`at > now() - ${withinMs}::float8 * interval '1 ms'`)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

export interface GuardVerdict {
  readonly holdWrongPlace: boolean;
  readonly holdDead: boolean;
}

/** Whether the scope has so many token faults that our own configuration is the likelier cause. */
export async function evaluateGuard(db: Db, scope: CredentialScope): Promise<GuardVerdict> {
  const since = await db
    .selectFrom('guardDecisions')
    .select(sql<Date>`max(at)`.as('at'))
    .where(inScope(scope))
    .executeTakeFirst();
  const decidedAt = since?.at ?? new Date(0);

  const { rows: windows } = await sql<{ answers: number; wrongPlace: number; dead: number }>`
    SELECT coalesce(sum(answers), 0)::integer AS answers,
      coalesce(sum(wrong_place), 0)::integer AS wrong_place, coalesce(sum(dead), 0)::integer AS dead
    FROM (
      SELECT answers, wrong_place, dead, sum(answers) OVER (ORDER BY id DESC) - answers AS newer
      FROM (
        SELECT id, answers, wrong_place, dead FROM answer_counts
        WHERE ${inScope(scope)} AND at > ${decidedAt} ORDER BY id DESC LIMIT ${ANSWER_WINDOW}
      ) latest
    ) window_of
    WHERE newer < ${ANSWER_WINDOW}`.execute(db);
  const window = windows[0] ?? { answers: 0, wrongPlace: 0, dead: 0 };

  const tooMany = (faults: number, maxShare: number) =>
    window.answers >= ANSWER_WINDOW
      ? faults >= window.answers * maxShare
      : window.answers >= SMALL_WINDOW_ANSWERS &&
        faults >= window.answers * Math.max(maxShare, SMALL_WINDOW_SHARE);
  return {
    holdWrongPlace:
      tooMany(window.wrongPlace, MAX_WRONG_PLACE_SHARE) ||
      (await passesHourlyBound(db, scope, decidedAt)),
    holdDead: tooMany(window.dead, MAX_DEAD_SHARE),
  };
}

/** More wrong-place faults within an hour than max(50, 5 % of the app's devices at this provider). */
async function passesHourlyBound(
  db: Db,
  scope: CredentialScope,
  decidedAt: Date,
): Promise<boolean> {
  const { faults } = await db
    .selectFrom('tokenFaults')
    .select((row) => row.fn.countAll<number>().as('faults'))
    .where(inScope(scope))
    .where('kind', '=', 'wrong_place')
    .where(
      'notedAt',
      '>',
      sql<Date>`greatest(now() - interval '1 hour', ${decidedAt}::timestamptz)`,
    )
    .executeTakeFirstOrThrow();
  if (faults <= MIN_FAULTS_PER_HOUR) return false;

  // faults > 5 % of the devices, asked as "are there fewer devices than faults / 5 %": counting ten million takes seconds.
  const enough = Math.ceil(faults / MAX_DEVICE_SHARE);
  const { rows } = await sql<{ devices: number }>`
    SELECT count(*)::integer AS devices FROM (
      SELECT FROM devices WHERE app_ref = ${scope.appRef} AND provider = ${scope.provider} LIMIT ${enough}
    ) sample`.execute(db);
  return (rows[0]?.devices ?? 0) < enough;
}

/** Forgets what is too old for the guard to look at. */
export async function deleteOldAnswerCounts(db: Db): Promise<void> {
  await db
    .deleteFrom('answerCounts')
    .where('at', '<', sql<Date>`now() - interval '1 day'`)
    .execute();
}
