import { sql } from 'kysely';

import type { Db } from './database.ts';
import { deleteBatch } from './delete-batch.ts';

export interface PushClaim {
  /** SHA-256 of what a repeat is known by. */
  readonly key: Buffer;
  readonly messageId: string;
  /** How long another push with the key is a repeat of this one. */
  readonly windowMs: number;
}

/**
 * Writes down that a push is taken; answers the message of the one that has its key already. Belongs into the transaction that stores the
 * message: of two at once, also on two machines, the second waits here until the first has committed or failed.
 */
export async function claimPush(db: Db, claim: PushClaim): Promise<string | undefined> {
  const { rows } = await sql<{ messageId: string }>`
    INSERT INTO liveperson_pushes AS p (key, message_id, until)
    VALUES (${claim.key}, ${claim.messageId}, now() + ${claim.windowMs}::float8 * interval '1 ms')
    ON CONFLICT (key) DO UPDATE SET
      -- One whose window is over is taken over. The others are written as they are, so that they are answered.
      message_id = CASE WHEN p.until <= now() THEN excluded.message_id ELSE p.message_id END,
      until = CASE WHEN p.until <= now() THEN excluded.until ELSE p.until END
    RETURNING message_id`.execute(db);
  const holder = rows[0]?.messageId;
  return holder === claim.messageId ? undefined : holder;
}

/** Forgets pushes whose repeats would be new ones, at most `limit` of them. Answers how many went. */
export async function deleteOldPushes(db: Db, limit: number): Promise<number> {
  return deleteBatch(db, 'liveperson_pushes', sql`until < now()`, limit);
}
