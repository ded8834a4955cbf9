import { sql } from 'kysely';

import type { Db } from '../database.ts';
import type { CampaignMessage } from '../schema.ts';
import type { Taken } from './import-credentials.ts';
import type { SourceRange } from './import-devices.ts';

export interface ImportedCampaign {
  readonly sourceId: number;
  readonly appRef: number;
  readonly message: CampaignMessage;
  readonly sent: boolean;
  /** ISO 8601, as those that follow. */
  readonly createdAt: string | null;
  readonly sentAt: string | null;
  readonly completedAt: string | null;
  /** Of all that was read, 16 bytes in hex. */
  readonly fingerprint: string;
}

/** Campaigns that got another number here, since theirs was taken. */
export interface RenumberedCampaign {
  readonly sourceId: number;
  readonly campaignId: number;
}

/** Campaigns that are made here get numbers above that from now on. Waits for those that are being made. */
export async function reserveCampaignIds(db: Db, upTo: number): Promise<void> {
  if (upTo < 1) return;
  await db.transaction().execute(async (tx) => {
    // Whoever makes one takes its number under a lock of the table, so nobody is between number and row.
    await sql`LOCK TABLE campaigns IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
    await sql`
      SELECT setval(sequence, ${upTo}) FROM pg_get_serial_sequence('campaigns', 'id') AS sequence
      WHERE coalesce(pg_sequence_last_value(sequence::regclass), 0) < ${upTo}`.execute(tx);
  });
}

/**
 * A campaign that was sent live here is left alone from then on: changes at the source no longer count. Dry runs don't matter.
 * Where `id` is the campaign's.
 */
const SENT_HERE = (id: string) =>
  sql`EXISTS (SELECT FROM campaign_runs r WHERE r.campaign_id = ${sql.ref(id)} AND NOT r.dry_run)`;

/**
 * Takes a page of campaigns, with their numbers where those are free. What did not change at the source since the last run is left alone;
 * campaigns of the range that are no longer there are deleted here too, with their users.
 */
export async function takeCampaigns(
  tx: Db,
  importRef: number,
  range: SourceRange,
  campaigns: readonly ImportedCampaign[],
): Promise<{
  readonly taken: ReadonlyMap<Taken, number>;
  readonly renumbered: readonly RenumberedCampaign[];
}> {
  const removed = await removeGoneCampaigns(tx, importRef, range, campaigns);
  const { rows } = await sql<{ sourceId: number; campaignId: number; taken: Taken }>`
    WITH given AS MATERIALIZED (
      SELECT * FROM json_to_recordset(${toJson(campaigns)}::json) AS g (
        source_id bigint, app_ref bigint, message json, sent boolean, created_at timestamptz, sent_at timestamptz,
        completed_at timestamptz, fingerprint text)
    ), changed AS MATERIALIZED (
      SELECT g.*, t.campaign_id AS known_id FROM given g
      LEFT JOIN imported_campaigns t ON t.import_ref = ${importRef} AND t.source_id = g.source_id
      WHERE t.fingerprint IS DISTINCT FROM decode(g.fingerprint, 'hex')
    ), numbered AS MATERIALIZED (
      -- The number of a campaign that was deleted here, and has runs, is not used twice.
      SELECT c.*, CASE
          WHEN known_id IS NOT NULL THEN known_id
          WHEN EXISTS (SELECT FROM campaigns x WHERE x.id = c.source_id)
            OR EXISTS (SELECT FROM campaign_runs r WHERE r.campaign_id = c.source_id)
            THEN nextval(pg_get_serial_sequence('campaigns', 'id'))
          ELSE c.source_id END AS campaign_id
      FROM changed c
    ), added AS (
      INSERT INTO campaigns (id, app_ref, message, sent, created_at, sent_at, completed_at) OVERRIDING SYSTEM VALUE
      SELECT campaign_id, app_ref, message, sent, coalesce(created_at, now()), sent_at, completed_at
      FROM numbered WHERE known_id IS NULL ORDER BY source_id
      RETURNING id
    ), updated AS (
      UPDATE campaigns c SET app_ref = n.app_ref, message = n.message, sent = n.sent, sent_at = n.sent_at, completed_at = n.completed_at
      FROM numbered n WHERE c.id = n.known_id AND NOT ${SENT_HERE('c.id')}
      RETURNING c.id
    ), noted AS (
      INSERT INTO imported_campaigns (import_ref, source_id, campaign_id, fingerprint)
      SELECT ${importRef}, source_id, campaign_id, decode(fingerprint, 'hex') FROM numbered
      ON CONFLICT (import_ref, source_id) DO UPDATE SET fingerprint = EXCLUDED.fingerprint
    )
    SELECT source_id, campaign_id, CASE
        WHEN known_id IS NULL THEN 'added'
        WHEN campaign_id IN (SELECT id FROM updated) THEN 'updated'
        ELSE 'kept' END AS taken
    FROM numbered`.execute(tx);
  const taken = new Map<Taken, number>([
    ['unchanged', campaigns.length - rows.length],
    ['removed', removed],
  ]);
  for (const row of rows) taken.set(row.taken, (taken.get(row.taken) ?? 0) + 1);
  return {
    taken,
    renumbered: rows.filter((row) => row.taken === 'added' && row.campaignId !== row.sourceId),
  };
}

function toJson(campaigns: readonly ImportedCampaign[]): string {
  return JSON.stringify(
    campaigns.map((campaign) => ({
      source_id: campaign.sourceId,
      app_ref: campaign.appRef,
      message: campaign.message,
      sent: campaign.sent,
      created_at: campaign.createdAt,
      sent_at: campaign.sentAt,
      completed_at: campaign.completedAt,
      fingerprint: campaign.fingerprint,
    })),
  );
}

async function removeGoneCampaigns(
  tx: Db,
  importRef: number,
  { after, upTo }: SourceRange,
  campaigns: readonly ImportedCampaign[],
): Promise<number> {
  const ids = campaigns.map(({ sourceId }) => String(sourceId));
  // Held first, so that no run begins between the look and the deletion.
  const { rows } = await sql<{ id: number }>`
    SELECT c.id FROM campaigns c WHERE c.id IN (
      SELECT campaign_id FROM imported_campaigns t
      WHERE t.import_ref = ${importRef} AND t.source_id > ${after} AND (${upTo}::bigint IS NULL OR t.source_id <= ${upTo}::bigint)
        AND t.source_id <> ALL (${ids}::bigint[]))
    ORDER BY c.id FOR UPDATE`.execute(tx);
  const held = rows.map(({ id }) => String(id));
  const { rows: counts } = await sql<{ removed: number }>`
    WITH gone AS (
      DELETE FROM imported_campaigns t
      WHERE t.import_ref = ${importRef} AND t.source_id > ${after} AND (${upTo}::bigint IS NULL OR t.source_id <= ${upTo}::bigint)
        AND t.source_id <> ALL (${ids}::bigint[])
    ), removed AS (
      DELETE FROM campaigns c WHERE c.id = ANY (${held}::bigint[]) AND NOT ${SENT_HERE('c.id')} RETURNING c.id
    ), users AS (
      DELETE FROM campaign_users u USING removed WHERE u.campaign_id = removed.id
    )
    SELECT count(*) AS removed FROM removed`.execute(tx);
  return counts[0]?.removed ?? 0;
}

/** A user of a campaign, by the ids of the source. */
export interface ImportedCampaignUser {
  readonly sourceId: number;
  readonly campaignId: number;
  readonly userId: string;
}

/** Those of the campaigns that were taken. */
export async function findTakenCampaigns(
  db: Db,
  importRef: number,
  sourceIds: readonly number[],
): Promise<ReadonlySet<number>> {
  const { rows } = await sql<{ sourceId: number }>`
    SELECT source_id FROM imported_campaigns
    WHERE import_ref = ${importRef} AND source_id = ANY (${sourceIds.map(String)}::bigint[])`.execute(
    db,
  );
  return new Set(rows.map((row) => row.sourceId));
}

/**
 * Takes a page of users of campaigns that were taken: those that were never taken are added in their order, and those of the range
 * that are no longer there are removed. Users whom somebody removed here don't come back.
 */
export async function takeCampaignUsers(
  tx: Db,
  importRef: number,
  range: SourceRange,
  users: readonly ImportedCampaignUser[],
): Promise<ReadonlyMap<Taken, number>> {
  const removed = await removeGoneUsers(tx, importRef, range, users);
  const json = JSON.stringify(
    users.map((user) => ({
      source_id: user.sourceId,
      campaign_id: user.campaignId,
      user_id: user.userId,
    })),
  );
  const sources = [...new Set(users.map(({ campaignId }) => campaignId))].map(String);
  // As everybody does who changes users of a campaign.
  await sql`
    SELECT FROM campaigns c WHERE c.id IN (
      SELECT campaign_id FROM imported_campaigns WHERE import_ref = ${importRef} AND source_id = ANY (${sources}::bigint[]))
    ORDER BY c.id FOR NO KEY UPDATE`.execute(tx);
  const { rows } = await sql<{ fresh: number; open: number; added: number }>`
    WITH given AS MATERIALIZED (
      SELECT g.source_id, g.user_id, m.campaign_id
      FROM json_to_recordset(${json}::json) AS g (source_id bigint, campaign_id bigint, user_id text)
      JOIN imported_campaigns m ON m.import_ref = ${importRef} AND m.source_id = g.campaign_id
    ), fresh AS MATERIALIZED (
      SELECT g.*, EXISTS (SELECT FROM campaigns c WHERE c.id = g.campaign_id) AND NOT ${SENT_HERE('g.campaign_id')} AS open
      FROM given g
      WHERE NOT EXISTS (SELECT FROM imported_campaign_users t WHERE t.import_ref = ${importRef} AND t.source_id = g.source_id)
    ), added AS (
      INSERT INTO campaign_users (campaign_id, user_id)
      SELECT campaign_id, user_id FROM fresh WHERE open ORDER BY source_id
      ON CONFLICT DO NOTHING RETURNING 1
    ), noted AS (
      INSERT INTO imported_campaign_users SELECT ${importRef}, source_id, campaign_id, user_id FROM fresh
    )
    SELECT count(*) AS fresh, count(*) FILTER (WHERE open) AS open, (SELECT count(*) FROM added) AS added FROM fresh`.execute(
    tx,
  );
  const { fresh, open, added } = rows[0] ?? { fresh: 0, open: 0, added: 0 };
  return new Map<Taken, number>([
    ['added', added],
    ['kept', fresh - open],
    ['unchanged', users.length - fresh + (open - added)],
    ['removed', removed],
  ]);
}

async function removeGoneUsers(
  tx: Db,
  importRef: number,
  { after, upTo }: SourceRange,
  users: readonly ImportedCampaignUser[],
): Promise<number> {
  const ids = users.map(({ sourceId }) => String(sourceId));
  const { rows } = await sql<{ removed: number }>`
    WITH gone AS (
      DELETE FROM imported_campaign_users
      WHERE import_ref = ${importRef} AND source_id > ${after} AND (${upTo}::bigint IS NULL OR source_id <= ${upTo}::bigint)
        AND source_id <> ALL (${ids}::bigint[])
      RETURNING campaign_id, user_id
    ), removed AS (
      DELETE FROM campaign_users u USING gone g
      WHERE u.campaign_id = g.campaign_id AND u.user_id = g.user_id AND NOT ${SENT_HERE('u.campaign_id')}
      RETURNING 1
    )
    SELECT count(*) AS removed FROM removed`.execute(tx);
  return rows[0]?.removed ?? 0;
}
