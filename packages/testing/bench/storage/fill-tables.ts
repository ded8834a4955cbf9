import { createMessageId } from '@heliograph/core';
import {
  addCampaignUsers,
  beginAudit,
  type Db,
  finishAudit,
  insertInboxMessage,
} from '@heliograph/db';
import { sql } from 'kysely';

import type { ApiClient } from '../api-client.ts';
import { toDevice } from '../devices.ts';

/** Rows that are written one by one, so many of them a transaction: the bench measures bytes, not commits. */
const ROWS_PER_TRANSACTION = 100;
const USERS_PER_STATEMENT = 100_000;
const REGISTRATIONS_AT_ONCE = 32;

/** What a failed attempt leaves behind. */
const FAILED_ATTEMPT = {
  at: '2026-01-01T00:00:00.000Z',
  outcome: 'gone',
  status: 410,
  reason: 'Unregistered',
  endpoint: 'api.push.apple.com',
  environment: 'production',
  credentialVersion: 1,
  latencyMs: 31,
};

/** The local directory's row of every device there is. Answers how many. */
export async function insertActivations(db: Db): Promise<number> {
  const { numAffectedRows } = await sql`
    INSERT INTO activations (activation_id, user_id, status)
    SELECT activation_id, user_id, 'ACTIVE' FROM devices`.execute(db);
  return Number(numAffectedRows);
}

/** Rounds of ageing, each about every nth device; a vacuum comes after so many of them, as autovacuum would by default. */
const AGE = { rounds: 80, every: 40, vacuumEvery: 8 };

/**
 * Registers every device twice, a part at a time, so that pages have the gaps that they have in production: a table that was just filled has none,
 * and each update in it goes to another page and into every index. Answers how many devices there are.
 */
export async function ageDevices(db: Db): Promise<number> {
  for (let round = 0; round < AGE.rounds; round += 1) {
    // A step that has no factor in common with their number: neighbours are not touched one after the other.
    const part = (round * 7) % AGE.every;
    await sql`UPDATE devices SET last_registered_at = now() WHERE id % ${AGE.every} = ${part}`.execute(
      db,
    );
    if ((round + 1) % AGE.vacuumEvery === 0) await sql`VACUUM devices`.execute(db);
  }
  const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM devices`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Devices say once more through the api that they are there, as an app does at every start. Answers how many. */
export async function registerAgain(
  client: ApiClient,
  appId: string,
  devices: readonly number[],
): Promise<number> {
  const waiting = devices.values();
  async function registerSome(): Promise<void> {
    // All of them take from the same iterator.
    for (const n of waiting) {
      const { activationId, userId, provider, pushToken } = toDevice(n);
      const platform = provider === 'apns' ? 'ios' : 'android';
      await client.call('/push/device/create', {
        appId,
        activationId,
        userId,
        platform,
        token: pushToken,
      });
    }
  }
  await Promise.all(Array.from({ length: REGISTRATIONS_AT_ONCE }, registerSome));
  return devices.length;
}

/** Adds the users of the first devices to a campaign. Answers how many. */
export async function fillAudience(db: Db, campaignId: number, count: number): Promise<number> {
  for (let from = 0; from < count; from += USERS_PER_STATEMENT) {
    const length = Math.min(USERS_PER_STATEMENT, count - from);
    const some = Array.from({ length }, (_, n) => toDevice(from + n).userId);
    await addCampaignUsers(db, campaignId, some);
  }
  // As autovacuum would have left it long ago.
  await sql`VACUUM ANALYZE campaign_users`.execute(db);
  return count;
}

/** Deliveries of a run that a provider refused at the first try. */
export async function insertExceptions(db: Db, runId: string, count: number): Promise<number> {
  await sql`
    INSERT INTO campaign_exceptions (run_id, ordinal, device_id, user_id, provider, state, reason, attempts,
      ambiguous_attempts, finished_at, history)
    SELECT ${runId}::uuid, n, n, 'user-' || lpad(n::text, 12, '0'), 'apns', 'failed', 'Unregistered', 1, 0, now(),
      ${JSON.stringify([FAILED_ATTEMPT])}::jsonb
    FROM generate_series(1, ${count}::integer) n`.execute(db);
  return count;
}

/** A message in the inbox of each of the first devices' users: a line of subject and of summary, and some lines of text. */
export function fillInbox(db: Db, appRef: number, count: number): Promise<number> {
  return inTransactions(db, count, async (tx, n) => {
    await insertInboxMessage(tx, {
      id: createMessageId(Date.now()),
      userId: toDevice(n).userId,
      appRefs: [appRef],
      type: 'text',
      subject: 'Your balance was updated',
      summary: 'Your balance is now $745.00',
      body: 'The balance of your account changed today. Open the application to see what was booked. '.repeat(
        5,
      ),
      sender: 'bank',
    });
  });
}

/** Acts of an administrator, with what came of them. */
export function fillAuditLog(db: Db, appRef: number, count: number): Promise<number> {
  return inTransactions(db, count, async (tx, n) => {
    const id = await beginAudit(tx, {
      keyId: 'hk_0123456789abcdef',
      actor: 'operations',
      requestId: '7b1a3c52-7b6e-4d6e-9a55-0f3e5f3b5b10',
      action: 'POST /push/campaign/{id}/run/pause',
      appRef,
      objects: { campaignId: n },
    });
    await finishAudit(tx, id, { outcome: 'ok' });
  });
}

async function inTransactions(
  db: Db,
  count: number,
  writeOne: (tx: Db, n: number) => Promise<void>,
): Promise<number> {
  for (let from = 0; from < count; from += ROWS_PER_TRANSACTION)
    await db.transaction().execute(async (tx) => {
      for (let n = from; n < Math.min(from + ROWS_PER_TRANSACTION, count); n += 1)
        await writeOne(tx, n);
    });
  return count;
}

/** Somebody who wants to hear of everything that happens in an app. */
export async function insertListener(db: Db, appRef: number): Promise<void> {
  await sql`
    INSERT INTO callback_endpoints (app_ref, url, target, callback_key, suspended_at)
    VALUES (${appRef}, 'https://receiver.example/', 'receiver.example:443', 'bench', now())`.execute(
    db,
  );
}
