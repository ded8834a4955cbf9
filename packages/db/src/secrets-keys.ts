import { createSecretBox, type SecretBox } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import { SEALED_COLUMNS, type SealedColumn } from './sealed-columns.ts';

/** How many secrets of a column were sealed with one key. */
export interface KeyUse {
  /** Table and column, in the database's spelling. */
  readonly name: string;
  /** Null for what is no sealed secret at all, whatever key is at hand. */
  readonly keyId: string | null;
  readonly secrets: number;
}

/** Which keys sealed what there is: reads a few bytes of each secret. Those that live for a minute only when asked for. */
export async function listKeyUse(
  db: Db,
  columns: readonly SealedColumn[] = SEALED_COLUMNS,
): Promise<readonly KeyUse[]> {
  const { rows } = await sql<KeyUse & { keyHex: string | null }>`
    ${sql.join(columns.map(countByKey), sql` UNION ALL `)} ORDER BY 1, 2`.execute(db);
  return rows.map(({ keyHex, ...use }) => ({
    ...use,
    keyId: keyHex === null ? null : Buffer.from(keyHex, 'hex').toString('utf8'),
  }));
}

/** As `readKeyId` reads it. */
function countByKey({ table, column, name }: SealedColumn) {
  const sealed = sql.ref(column);
  return sql`
    SELECT ${sql.lit(name)} AS name,
      CASE WHEN length(${sealed}) > 2 AND get_byte(${sealed}, 0) = 1
        THEN encode(substring(${sealed} FROM 3 FOR get_byte(${sealed}, 1)), 'hex') END AS key_hex,
      count(*)::integer AS secrets
    FROM ${sql.table(table)} WHERE ${sealed} IS NOT NULL GROUP BY 2`;
}

/** In the database are secrets that nobody could open here. */
export class SecretsKeyMissing extends Error {
  override readonly name = 'SecretsKeyMissing';
  readonly keyIds: readonly string[];

  constructor(missing: readonly (KeyUse & { readonly keyId: string })[]) {
    const keyIds = [...new Set(missing.map(({ keyId }) => keyId))];
    const parts = keyIds.map((keyId) => {
      const uses = missing.filter((use) => use.keyId === keyId);
      return `key ${keyId} sealed ${uses.map((use) => `${use.secrets} in ${use.name}`).join(', ')}`;
    });
    super(
      `secrets keys are missing: ${parts.join('; ')}. Give them in SECRETS_OTHER_KEYS, or in SECRETS_KEY where they are to go on sealing`,
    );
    this.keyIds = keyIds;
  }
}

/** Throws a `SecretsKeyMissing` where the database holds secrets that these keys do not open. */
export async function openSecretBox(
  db: Db,
  { sealing, opening }: { readonly sealing: Buffer; readonly opening: readonly Buffer[] },
): Promise<SecretBox> {
  const secrets = createSecretBox(sealing, opening);
  await refuseMissingKeys(db, secrets);
  return secrets;
}

async function refuseMissingKeys(db: Db, { keyIds }: SecretBox): Promise<void> {
  const lasting = SEALED_COLUMNS.filter(({ isShortLived }) => !isShortLived);
  const missing = (await listKeyUse(db, lasting)).flatMap(({ keyId, ...use }) =>
    keyId === null || keyIds.has(keyId) ? [] : [{ ...use, keyId }],
  );
  if (missing.length > 0) throw new SecretsKeyMissing(missing);
}
