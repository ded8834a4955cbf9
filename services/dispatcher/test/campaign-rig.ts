import { createRunId, toOutcome, type DeliveryState, type Provider } from '@heliograph/core';
import {
  addCampaignUsers,
  findRun,
  insertCampaign,
  insertRun,
  type CampaignMessage,
  type Db,
  type NewRun,
  type Run,
} from '@heliograph/db';
import { eventually } from '@heliograph/testing';
import { sql } from 'kysely';

/** A campaign of these users. */
export async function makeCampaign(
  db: Db,
  appRef: number,
  userIds: readonly string[],
  message: CampaignMessage = { title: 'Hello' },
): Promise<number> {
  const id = await insertCampaign(db, { appRef, message });
  await addCampaignUsers(db, id, userIds);
  return id;
}

/** Devices of users of their own, as fast as the database takes them; half of them on Android unless told otherwise. Answers the users. */
export async function makeDevices(
  db: Db,
  appRef: number,
  count: number,
  { name = 'u', provider }: { readonly name?: string; readonly provider?: Provider } = {},
): Promise<string[]> {
  await sql`
    INSERT INTO devices (app_ref, activation_id, user_id, provider, push_token, push_token_hash, activation_active, last_registered_at)
    SELECT ${appRef}, ${`${name}-${appRef}-`}::text || n, ${`${name}-${appRef}-`}::text || n,
      coalesce(${provider ?? null}, CASE WHEN n % 2 = 0 THEN 'apns' ELSE 'fcm' END), t.token,
      sha256(convert_to(t.token, 'UTF8')), true, now() - interval '1 hour'
    FROM generate_series(1, ${count}::integer) AS n
    CROSS JOIN LATERAL (SELECT encode(sha256(convert_to(${`${name} ${appRef} `}::text || n, 'UTF8')), 'hex') AS token) t`.execute(
    db,
  );
  return Array.from({ length: count }, (_, n) => `${name}-${appRef}-${n + 1}`);
}

/** A run of the campaign, as the api stores one. Answers its id. */
export async function startRun(
  db: Db,
  campaignId: number,
  options: Partial<NewRun> = {},
): Promise<string> {
  const { appRef, message } = await db
    .selectFrom('campaigns')
    .select(['appRef', 'message'])
    .where('id', '=', campaignId)
    .executeTakeFirstOrThrow();
  const id = createRunId(Date.now());
  await insertRun(db, {
    id,
    campaignId,
    appRef,
    message,
    validUntil: message.validUntil === undefined ? undefined : new Date(message.validUntil),
    dryRun: false,
    startAt: undefined,
    ratePerSecond: undefined,
    canaryPercent: undefined,
    maxFailurePercent: undefined,
    ...options,
  });
  return id;
}

/** Waits until the run is in that state, finished where that state is an end. */
export function runIn(
  db: Db,
  runId: string,
  state: Run['state'],
  timeoutMs = 40_000,
): Promise<Run> {
  return eventually(
    async () => {
      const run = await findRun(db, runId);
      expect(run).toMatchObject({ state });
      if (state === 'completed' || state === 'cancelled')
        expect(run?.finishedAt).toBeInstanceOf(Date);
      if (run === undefined) throw new Error('there is no such run');
      return run;
    },
    { timeoutMs },
  );
}

/** What became of one device, by the bytes of the chunks. */
export interface LedgerEntry {
  readonly deviceId: number;
  readonly provider: Provider;
  readonly state: DeliveryState;
  readonly reason: string | null;
  /** The delivery's place in the run. */
  readonly place: number;
}

export async function readLedger(db: Db, runId: string): Promise<LedgerEntry[]> {
  const chunks = await db
    .selectFrom('campaignChunks')
    .select(['ordinal', 'provider', 'deviceIds', 'outcomes'])
    .where('runId', '=', runId)
    .orderBy('ordinal')
    .execute();
  return chunks.flatMap(({ ordinal, provider, deviceIds, outcomes }) =>
    deviceIds.map((deviceId, index) => {
      const { state, reason } = toOutcome(outcomes[index] ?? 255);
      return { deviceId: Number(deviceId), provider, state, reason, place: ordinal * 1000 + index };
    }),
  );
}

/** The kept sums are those of the bytes; answers how many devices are in which state. */
export async function expectBalanced(
  db: Db,
  runId: string,
): Promise<Readonly<Record<DeliveryState, number>>> {
  const ledger = await readLedger(db, runId);
  const counted = await db
    .selectFrom('campaignRunCounts')
    .select(['code', (row) => row.fn.sum<string>('count').as('count')])
    .where('runId', '=', runId)
    .groupBy('code')
    .execute();
  const sums = new Map(counted.map(({ code, count }) => [code, Number(count)]));
  const states = { pending: 0, sent: 0, failed: 0, expired: 0, skipped: 0 };
  for (const { state } of ledger) states[state] += 1;

  const kept = { sent: 0, failed: 0, expired: 0, skipped: 0 };
  for (const [code, count] of sums)
    if (code > 2 || code === 1) {
      const { state } = toOutcome(code);
      if (state !== 'pending') kept[state] += count;
    }
  const { pending, ...final } = states;
  expect(kept).toEqual(final);
  expect(sums.get(-1) ?? 0).toBe(ledger.length);
  expect(new Set(ledger.map((one) => one.deviceId)).size).toBe(ledger.length);
  return { ...final, pending };
}
