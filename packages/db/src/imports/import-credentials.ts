import type { Provider } from '@heliograph/core';
import { sql } from 'kysely';

import { createApp, findAppRef } from '../apps.ts';
import { removeCredentialIn, saveCredentialIn, type Credential } from '../credentials.ts';
import type { Db } from '../database.ts';

/** What became of something that an import would take. `kept`: what is here is newer, or was changed here. */
export type Taken = 'added' | 'updated' | 'unchanged' | 'kept' | 'removed';

export interface ImportedCredential {
  readonly importRef: number;
  readonly appRef: number;
  readonly provider: Provider;
  /** 16 bytes in hex. */
  readonly fingerprint: string;
  /** Undefined where there is none any more. */
  readonly credential: Credential | undefined;
}

/** The app's row, made where it is not there yet. */
export async function takeApp(
  tx: Db,
  appId: string,
): Promise<{ readonly id: number; readonly taken: Taken }> {
  const known = await findAppRef(tx, appId);
  if (known !== undefined) return { id: known, taken: 'unchanged' };
  const added = await createApp(tx, { appId, appName: undefined });
  if (added !== undefined) return { id: added, taken: 'added' };
  // Somebody made it in between.
  const id = await findAppRef(tx, appId);
  if (id === undefined) throw new Error(`app ${appId} is neither there nor can it be made`);
  return { id, taken: 'unchanged' };
}

/**
 * Takes a credential unless one was saved or removed here: that one stays. Undefined where there was none and is none.
 * What the last run took, and did not change there since, is left alone whatever became of it here.
 */
export async function takeCredential(
  tx: Db,
  { importRef, appRef, provider, fingerprint, credential }: ImportedCredential,
): Promise<Taken | undefined> {
  const known = await findTaken(tx, importRef, appRef, provider);
  if (known === undefined && credential === undefined) return undefined;
  if (known?.fingerprint === fingerprint) return 'unchanged';

  const here = await tx
    .selectFrom('credentials')
    .select('version')
    .where('appRef', '=', appRef)
    .where('provider', '=', provider)
    .forUpdate()
    .executeTakeFirst();
  const changedHere = here?.version !== (known?.version ?? undefined);
  if (!changedHere && credential !== undefined) await saveCredentialIn(tx, credential);
  if (!changedHere && credential === undefined) await removeCredentialIn(tx, appRef, provider);
  await noteTaken(tx, { importRef, appRef, provider, fingerprint, changedHere });
  if (changedHere) return 'kept';
  if (credential === undefined) return 'removed';
  return here === undefined ? 'added' : 'updated';
}

async function findTaken(tx: Db, importRef: number, appRef: number, provider: Provider) {
  const { rows } = await sql<{ fingerprint: string; version: number | null }>`
    SELECT encode(fingerprint, 'hex') AS fingerprint, version FROM imported_credentials
    WHERE import_ref = ${importRef} AND app_ref = ${appRef} AND provider = ${provider}`.execute(tx);
  return rows[0];
}

/** A version that nobody has says that what is here is not ours to change. */
async function noteTaken(
  tx: Db,
  taken: Omit<ImportedCredential, 'credential'> & { readonly changedHere: boolean },
): Promise<void> {
  const { importRef, appRef, provider, fingerprint, changedHere } = taken;
  await sql`
    INSERT INTO imported_credentials AS t (import_ref, app_ref, provider, fingerprint, version)
    VALUES (${importRef}, ${appRef}, ${provider}, decode(${fingerprint}, 'hex'), CASE WHEN ${changedHere} THEN 0 ELSE (
      SELECT version FROM credentials WHERE app_ref = ${appRef} AND provider = ${provider}
    ) END)
    ON CONFLICT (import_ref, app_ref, provider)
    DO UPDATE SET fingerprint = EXCLUDED.fingerprint, version = EXCLUDED.version`.execute(tx);
}
