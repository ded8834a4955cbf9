import { sql } from 'kysely';

import type { Db } from './database.ts';

/** What an act was about: ids only, never a secret. */
export type AuditObjects = Readonly<Record<string, string | number>>;

export interface NewAuditEntry {
  /** Null where there was no key. */
  readonly keyId: string | null;
  /** The key's name, or what stood in its place. */
  readonly actor: string;
  readonly requestId: string | null;
  readonly action: string;
  readonly appRef: number | null;
  readonly objects: AuditObjects;
}

export interface AuditEntry extends Omit<NewAuditEntry, 'appRef'> {
  readonly id: string;
  readonly appId: string | null;
  readonly createdAt: Date;
  /** `ok`, or the code of a refusal; null while the act is under way, and where its process died. */
  readonly outcome: string | null;
  readonly finishedAt: Date | null;
}

/** Writes that the act begins; answers the entry's id. */
export async function beginAudit(db: Db, entry: NewAuditEntry): Promise<string> {
  const { id } = await db
    .insertInto('auditLog')
    .values({ ...entry, objects: JSON.stringify(entry.objects), outcome: null, finishedAt: null })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Adds what came of the act, and the ids of what it made. */
export async function finishAudit(
  db: Db,
  id: string,
  { outcome, made = {} }: { readonly outcome: string; readonly made?: AuditObjects },
): Promise<void> {
  await sql`
    UPDATE audit_log SET outcome = ${outcome}, finished_at = now(), objects = objects || ${JSON.stringify(made)}::jsonb
    WHERE id = ${id}::uuid`.execute(db);
}

/** Writes down what is done already, or was refused. In the transaction of the act neither is there without the other. */
export async function recordAudit(db: Db, entry: NewAuditEntry, outcome: string): Promise<void> {
  await db
    .insertInto('auditLog')
    .values({
      ...entry,
      objects: JSON.stringify(entry.objects),
      outcome,
      finishedAt: sql<Date>`now()`,
    })
    .execute();
}

export interface AuditQuery {
  /** Undefined: acts on every app, and on none. */
  readonly appRef: number | undefined;
  /** Entries older than this one. */
  readonly before: string | undefined;
  readonly limit: number;
}

/** The latest first. */
export async function listAudit(
  db: Db,
  { appRef, before, limit }: AuditQuery,
): Promise<readonly AuditEntry[]> {
  const { rows } = await sql<AuditEntry>`
    SELECT l.id, l.key_id, l.actor, l.request_id, l.action, a.app_id, l.objects, l.outcome, l.created_at, l.finished_at
    FROM audit_log l LEFT JOIN apps a ON a.id = l.app_ref
    WHERE (${appRef ?? null}::bigint IS NULL OR l.app_ref = ${appRef ?? null}::bigint)
      AND (${before ?? null}::uuid IS NULL OR l.id < ${before ?? null}::uuid)
    ORDER BY l.id DESC LIMIT ${limit}`.execute(db);
  return rows;
}
