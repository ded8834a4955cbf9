import type { Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';

/** What a certificate is for: to send to APNs or to a customer's proxy with, or to know a LivePerson sender by. */
export const CERTIFICATE_KINDS = ['apns', 'proxy', 'liveperson'] as const;
export type CertificateKind = (typeof CERTIFICATE_KINDS)[number];

/** A certificate at one place where it is stored; the same one may stand at several. */
export interface StoredCertificate {
  readonly appId: string;
  readonly kind: CertificateKind;
  /** Null for LivePerson, which hands over for either. */
  readonly provider: Provider | null;
  /** Of LivePerson only. */
  readonly brandId: string | null;
  readonly commonName: string;
  /** SHA-256. */
  readonly fingerprint: Buffer;
  readonly validTo: Date;
  /** Whole days, rounded down: below 0 once it has ended. */
  readonly daysLeft: number;
}

/** A certificate of which something is to be said. */
export interface CertificateWarning extends StoredCertificate {
  /** How many places it is stored at; the app is that of the first. */
  readonly places: number;
}

/** So long ahead a certificate's end is spoken of. The last one: it has ended. */
const THRESHOLDS_DAYS = [30, 7, 1, 0];

/** Credentials that stand by included: they come back when a proxy is removed. One statement sees what is moved at one place. */
const STORED = sql`
  SELECT app_ref, CASE route WHEN 'proxy' THEN 'proxy' ELSE 'apns' END AS kind, provider, NULL AS brand_id,
    settings #>> '{certificate,commonName}' AS common_name,
    decode(settings #>> '{certificate,fingerprint}', 'hex') AS fingerprint,
    (settings #>> '{certificate,validTo}')::timestamptz AS valid_to
  FROM (
    SELECT app_ref, provider, route, settings FROM credentials
    UNION ALL
    SELECT app_ref, provider, 'direct', settings FROM standby_credentials
  ) either
  WHERE jsonb_exists(settings, 'certificate')
  UNION ALL
  SELECT s.app_ref, 'liveperson', NULL, s.brand_id, c.common_name, c.fingerprint, c.valid_to
  FROM liveperson_certificates c JOIN liveperson_senders s ON s.id = c.sender_id`;

function daysLeft(now: Date) {
  return sql`floor(extract(epoch FROM s.valid_to - ${now}::timestamptz) / 86400)::integer AS days_left`;
}

export interface CertificatesQuery {
  /** Undefined: of every app. */
  readonly appRef: number | undefined;
  readonly now: Date;
  readonly limit: number;
  readonly offset: number;
}

/** What is stored, place by place, the first to end first. */
export async function listCertificates(
  db: Db,
  { appRef, now, limit, offset }: CertificatesQuery,
): Promise<readonly StoredCertificate[]> {
  const { rows } = await sql<StoredCertificate>`
    SELECT a.app_id, s.kind, s.provider, s.brand_id, s.common_name, s.fingerprint, s.valid_to, ${daysLeft(now)}
    FROM (${STORED}) s JOIN apps a ON a.id = s.app_ref
    ${appRef === undefined ? sql`` : sql`WHERE s.app_ref = ${appRef}`}
    ORDER BY s.valid_to, s.fingerprint, s.app_ref, s.kind, s.provider, s.brand_id
    LIMIT ${limit} OFFSET ${offset}`.execute(db);
  return rows;
}

/**
 * Tells of up to `limit` certificates that came within 30, 7 or 1 days of their end, or reached it, since they were last told of; the
 * first to end first. Each is told of once for the nearest of these, whoever asks. A process that dies meanwhile may have told of some
 * that are told of again.
 */
export async function tellCertificateEnds(
  db: Db,
  { now, limit }: { readonly now: Date; readonly limit: number },
  tell: (warning: CertificateWarning) => void,
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await forgetGone(tx);
    // Told before it is written for good; who claims the same ones at the same time waits for that, and then has none.
    for (const warning of await claimWarnings(tx, now, limit)) tell(warning);
  });
}

async function forgetGone(tx: Db): Promise<void> {
  await sql`
    DELETE FROM certificate_warnings w
    WHERE NOT EXISTS (
      SELECT FROM (${STORED}) s WHERE s.fingerprint = w.fingerprint AND s.valid_to = w.valid_to
    )`.execute(tx);
}

async function claimWarnings(
  tx: Db,
  now: Date,
  limit: number,
): Promise<readonly CertificateWarning[]> {
  const { rows } = await sql<CertificateWarning>`
    WITH reached AS (
      SELECT DISTINCT ON (s.valid_to, s.fingerprint)
        a.app_id, s.kind, s.provider, s.brand_id, s.common_name, s.fingerprint, s.valid_to, ${daysLeft(now)},
        count(*) OVER (PARTITION BY s.valid_to, s.fingerprint)::integer AS places, t.threshold_days
      FROM (${STORED}) s JOIN apps a ON a.id = s.app_ref, LATERAL (
        SELECT min(days) AS threshold_days FROM unnest(${THRESHOLDS_DAYS}::integer[]) days
        WHERE s.valid_to <= ${now}::timestamptz + days * interval '24 hours'
      ) t
      WHERE t.threshold_days IS NOT NULL
      ORDER BY s.valid_to, s.fingerprint, s.app_ref, s.kind, s.provider, s.brand_id
    ), due AS (
      SELECT * FROM reached r
      WHERE NOT EXISTS (
        SELECT FROM certificate_warnings w
        WHERE w.fingerprint = r.fingerprint AND w.valid_to = r.valid_to AND w.threshold_days <= r.threshold_days
      )
      ORDER BY valid_to, fingerprint LIMIT ${limit}
    ), told AS (
      INSERT INTO certificate_warnings (fingerprint, valid_to, threshold_days, told_at)
      SELECT fingerprint, valid_to, threshold_days, ${now}::timestamptz FROM due
      ON CONFLICT DO NOTHING
      RETURNING fingerprint, valid_to
    )
    SELECT app_id, kind, provider, brand_id, common_name, fingerprint, valid_to, days_left, places
    FROM due JOIN told USING (fingerprint, valid_to)
    ORDER BY valid_to, fingerprint`.execute(tx);
  return rows;
}
