import { type Db, hashPushToken } from '@heliograph/db';
import { sql } from 'kysely';

export interface BenchDevice {
  readonly userId: string;
  readonly activationId: string;
  readonly provider: 'apns' | 'fcm';
  readonly pushToken: string;
}

/** As long as FCM's usually are. */
const FCM_TOKEN_LENGTH = 160;

/** The nth device, of a user of its own: even ones are for APNs. Ids of all devices are equally long. */
export function toDevice(n: number): BenchDevice {
  const digits = String(n).padStart(12, '0');
  const isApns = n % 2 === 0;
  return {
    userId: `user-${digits}`,
    activationId: `00000000-0000-4000-8000-${digits}`,
    provider: isApns ? 'apns' : 'fcm',
    pushToken: isApns
      ? digits.padStart(64, '0')
      : `bench-${digits}:`.padEnd(FCM_TOKEN_LENGTH, 'A1b2-'),
  };
}

/** Registers `count` devices from the `first` on in one statement; the api would take minutes. */
export async function insertDevices(
  db: Db,
  appRef: number,
  count: number,
  first = 0,
): Promise<void> {
  const devices = Array.from({ length: count }, (_, n) => toDevice(first + n));
  await sql`
    INSERT INTO devices (app_ref, activation_id, user_id, provider, push_token, push_token_hash,
      activation_active, last_registered_at)
    SELECT ${appRef}::bigint, activation_id, user_id, provider, push_token, decode(hash, 'hex'), true, now()
    FROM unnest(
      ${devices.map((device) => device.activationId)}::text[],
      ${devices.map((device) => device.userId)}::text[],
      ${devices.map((device) => device.provider)}::text[],
      ${devices.map((device) => device.pushToken)}::text[],
      ${devices.map((device) => hashPushToken(device.pushToken).toString('hex'))}::text[]
    ) AS d (activation_id, user_id, provider, push_token, hash)`.execute(db);
  await sql`ANALYZE devices`.execute(db);
}

/** The user of the nth device that `insertApnsDevices` makes. */
export function toApnsUser(n: number, first = 0): string {
  return toDevice(first + 2 * n).userId;
}

const DEVICES_PER_STATEMENT = 100_000;

/** Registers `count` devices, all of them for APNs and of a user of its own each: every second one from the `first` on, which is even. */
export async function insertApnsDevices(
  db: Db,
  appRef: number,
  count: number,
  first = 0,
): Promise<void> {
  for (let from = 0; from < count; from += DEVICES_PER_STATEMENT) {
    const to = Math.min(from + DEVICES_PER_STATEMENT, count) - 1;
    await sql`
      INSERT INTO devices (app_ref, activation_id, user_id, provider, push_token, push_token_hash,
        activation_active, last_registered_at)
      SELECT ${appRef}::bigint, '00000000-0000-4000-8000-' || n.digits, 'user-' || n.digits, 'apns', t.token,
        sha256(convert_to(t.token, 'UTF8')), true, now()
      FROM generate_series(${from}::integer, ${to}::integer) AS g (number)
      CROSS JOIN LATERAL (SELECT lpad((${first}::integer + 2 * g.number)::text, 12, '0') AS digits) n
      CROSS JOIN LATERAL (SELECT lpad(n.digits, 64, '0') AS token) t`.execute(db);
  }
  // As autovacuum would have left them long ago; it shall not do that while something is measured.
  await sql`VACUUM ANALYZE devices`.execute(db);
}
