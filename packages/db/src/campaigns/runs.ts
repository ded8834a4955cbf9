import type { RunReason, RunState } from '@heliograph/core';

import type { Db } from '../database.ts';

/** A run as callers see it. */
export interface Run {
  readonly id: string;
  readonly campaignId: number;
  readonly appId: string;
  readonly state: RunState;
  readonly reason: RunReason | null;
  readonly dryRun: boolean;
  readonly ratePerSecond: number | null;
  readonly canaryPercent: number | null;
  readonly maxFailurePercent: number | null;
  readonly createdAt: Date;
  readonly startAt: Date;
  readonly startedAt: Date | null;
  readonly materialisedAt: Date | null;
  readonly approvedAt: Date | null;
  readonly finishedAt: Date | null;
  /** When what became of its single devices was forgotten; the sums stay. */
  readonly devicesPurgedAt: Date | null;
  readonly users: number;
  readonly usersWithoutDevice: number;
  readonly measuredRate: number;
}

/** Any run, of a campaign that was deleted since too. */
export async function findRun(db: Db, id: string): Promise<Run | undefined> {
  return selectRuns(db).where('campaignRuns.id', '=', id).executeTakeFirst();
}

/** The campaign's latest run that is none of counting only. */
export async function findLatestRun(db: Db, campaignId: number): Promise<Run | undefined> {
  return selectRuns(db)
    .where('campaignId', '=', campaignId)
    .where('dryRun', '=', false)
    .orderBy('campaignRuns.id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Runs of a campaign, the latest first, dry ones too. */
export async function listRuns(
  db: Db,
  campaignId: number,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<readonly Run[]> {
  return selectRuns(db)
    .where('campaignId', '=', campaignId)
    .orderBy('campaignRuns.id', 'desc')
    .offset(offset)
    .limit(limit)
    .execute();
}

function selectRuns(db: Db) {
  return db
    .selectFrom('campaignRuns')
    .innerJoin('apps', 'apps.id', 'campaignRuns.appRef')
    .select([
      'campaignRuns.id',
      'campaignId',
      'apps.appId',
      'state',
      'reason',
      'dryRun',
      'ratePerSecond',
      'canaryPercent',
      'maxFailurePercent',
      'campaignRuns.createdAt',
      'startAt',
      'startedAt',
      'materialisedAt',
      'approvedAt',
      'finishedAt',
      'devicesPurgedAt',
      'users',
      'usersWithoutDevice',
      'measuredRate',
    ]);
}

/** How the campaign's run stands that is not over: scheduled, sending, paused, halted, or being settled after a cancel. */
export async function findOpenRunState(db: Db, campaignId: number): Promise<RunState | undefined> {
  const row = await db
    .selectFrom('campaignRuns')
    .select('state')
    .where('campaignId', '=', campaignId)
    .where('finishedAt', 'is', null)
    .where('dryRun', '=', false)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.state;
}
