import {
  MAX_DELIVERIES_PER_MESSAGE,
  Refusal,
  type DeliveryState,
  type Priority,
  type Provider,
} from '@heliograph/core';
import { sql, type RawBuilder } from 'kysely';
import pg from 'pg';

import { tellDeliveries } from './callback-writes.ts';
import type { Db } from './database.ts';

export interface StoredMessage {
  /** From `createMessageId`: its deliveries' ids are derived from it. */
  readonly id: string;
  readonly appRef: number;
  readonly userId: string;
  readonly activationId: string | undefined;
  readonly silent: boolean;
  readonly personal: boolean;
  readonly priority: Priority;
  /** JSON text of the body. */
  readonly body: string;
  readonly awaited: boolean;
  readonly expiresAt: Date;
  /** The developer key whose signed request it came with. */
  readonly developerKeyRef?: number;
}

export interface StoredDelivery {
  readonly id: string;
  readonly messageId: string;
  readonly provider: Provider;
  readonly state: DeliveryState;
}

/**
 * Stores messages and a delivery for every device of their users, in one statement and so all or none.
 * A push token that several activations of the user share gets the message once. What can't be sent at all is final from the
 * start: expired, or skipped with its reason, and told to callbacks unless nobody listens (`isHeard: false`). Refuses a message to a
 * user with more devices than it has room for.
 */
export async function insertMessages(
  db: Db,
  messages: readonly StoredMessage[],
  { isHeard = true }: { readonly isHeard?: boolean } = {},
): Promise<readonly StoredDelivery[]> {
  const { rows } = await refusingTooManyDevices(
    sql<StoredDelivery>`
      WITH ${storingMessages(messages, { isHeard })}
      SELECT id, message_id, provider, state FROM born`.execute(db),
  );
  return rows;
}

/**
 * The parts of a statement that stores messages, and perhaps something else; `born` names their deliveries. With `ifAny`, which names a
 * part before them, nothing is stored unless that has a row, which is one.
 */
export function storingMessages(
  messages: readonly StoredMessage[],
  { isHeard, ifAny }: { readonly isHeard: boolean; readonly ifAny?: Part },
): Part {
  return sql`
    input AS (
      SELECT i.* FROM ${ifAny === undefined ? sql`` : sql`${ifAny} CROSS JOIN`} unnest(
        ${messages.map((m) => m.id)}::uuid[],
        ${messages.map((m) => m.appRef)}::bigint[],
        ${messages.map((m) => m.userId)}::text[],
        ${messages.map((m) => m.activationId ?? null)}::text[],
        ${messages.map((m) => m.silent)}::boolean[],
        ${messages.map((m) => m.personal)}::boolean[],
        ${messages.map((m) => m.priority)}::text[],
        ${messages.map((m) => m.body)}::text[],
        ${messages.map((m) => m.awaited)}::boolean[],
        ${messages.map((m) => m.expiresAt.toISOString())}::timestamptz[],
        ${messages.map((m) => m.developerKeyRef ?? null)}::bigint[]
      ) AS i (id, app_ref, user_id, activation_id, silent, personal, priority, body, awaited, expires_at, developer_key_ref)
    ), stored AS (
      INSERT INTO messages (id, app_ref, user_id, activation_id, silent, personal, priority, body, awaited, expires_at, developer_key_ref)
      SELECT id, app_ref, user_id, activation_id, silent, personal, priority, body::json, awaited, expires_at, developer_key_ref FROM input
    ), targets AS (
      -- One device per push token; an active activation is preferred, so that it can receive a personal message.
      SELECT DISTINCT ON (i.id, d.provider, d.push_token_hash)
        i.id AS message_id, i.app_ref, i.expires_at, d.id AS device_id, d.provider,
        CASE
          WHEN d.token_deactivated_at IS NOT NULL THEN 'token_deactivated'
          WHEN i.personal AND NOT d.activation_active THEN 'activation_inactive'
          WHEN c.app_ref IS NULL THEN 'not_configured'
        END AS skip_reason
      FROM input i
      JOIN devices d ON d.user_id = i.user_id AND d.app_ref = i.app_ref
      LEFT JOIN credentials c ON c.app_ref = d.app_ref AND c.provider = d.provider
      WHERE i.activation_id IS NULL OR d.activation_id = i.activation_id
      ORDER BY i.id, d.provider, d.push_token_hash, d.activation_active DESC, d.id
    ), numbered AS (
      SELECT *, row_number() OVER (PARTITION BY message_id ORDER BY device_id) AS ordinal,
        CASE
          WHEN skip_reason IS NOT NULL THEN 'skipped'
          WHEN expires_at <= now() THEN 'expired'
          ELSE 'pending'
        END AS state
      FROM targets
    ), born AS (
      INSERT INTO deliveries (id, message_id, app_ref, device_id, provider, state, reason, next_attempt_at, finished_at)
      SELECT
        (left(message_id::text, 32) || lpad(to_hex(CASE WHEN ordinal > ${MAX_DELIVERIES_PER_MESSAGE} THEN 1 ELSE ordinal END), 4, '0'))::uuid,
        message_id, app_ref, device_id, provider, state,
        CASE state WHEN 'skipped' THEN skip_reason WHEN 'expired' THEN 'expired' END,
        CASE WHEN state = 'pending' THEN now() END,
        CASE WHEN state <> 'pending' THEN now() END
      FROM numbered
      RETURNING *
    )${isHeard ? sql`, told AS (${tellDeliveries(sql`born`, sql`input m ON`)})` : sql``}`;
}

type Part = RawBuilder<unknown>;

/** A statement of those parts says by a violation that there are too many. */
export async function refusingTooManyDevices<T>(stored: Promise<T>): Promise<T> {
  try {
    return await stored;
  } catch (error) {
    throw isOrdinalTaken(error) ? new Refusal('invalid_request', TOO_MANY_DEVICES) : error;
  }
}

const TOO_MANY_DEVICES = `A message reaches at most ${MAX_DELIVERIES_PER_MESSAGE} devices of a user.`;
const UNIQUE_VIOLATION = '23505';

/** What is beyond a message's room is given the id of its first delivery, and meets it. */
function isOrdinalTaken(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === UNIQUE_VIOLATION &&
    error.table?.startsWith('deliveries') === true
  );
}

export interface OutcomeCount {
  readonly messageId: string;
  readonly provider: Provider;
  readonly state: DeliveryState;
  readonly count: number;
}

/** How many deliveries of each message are in each state, per provider. A message without deliveries has no row. */
export async function countOutcomes(
  db: Db,
  messageIds: readonly string[],
): Promise<readonly OutcomeCount[]> {
  const { rows } = await sql<OutcomeCount>`
    SELECT m.first AS message_id, d.provider, d.state, count(*)::integer AS count
    FROM unnest(${messageIds}::uuid[], ${messageIds.map(lastDeliveryId)}::uuid[]) AS m (first, last)
    CROSS JOIN LATERAL ${DELIVERIES_OF_MESSAGE} d
    GROUP BY m.first, d.provider, d.state`.execute(db);
  return rows;
}

/** Of the messages, those with no delivery pending. */
export async function listFinished(db: Db, messageIds: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT m.first AS id
    FROM unnest(${messageIds}::uuid[], ${messageIds.map(lastDeliveryId)}::uuid[]) AS m (first, last)
    WHERE NOT EXISTS (SELECT FROM ${DELIVERIES_OF_MESSAGE} d WHERE d.state = 'pending')`.execute(
    db,
  );
  return rows.map((row) => row.id);
}

/**
 * By the primary key alone, in its order: the planner takes the range of one message for a ninth of the table, and would rather
 * read everything that is pending.
 */
const DELIVERIES_OF_MESSAGE = sql`(
  SELECT provider, state FROM deliveries WHERE id > m.first AND id <= m.last ORDER BY id OFFSET 0)`;

/** A message with the app it belongs to. */
export async function findMessage(db: Db, id: string) {
  return db
    .selectFrom('messages')
    .innerJoin('apps', 'apps.id', 'messages.appRef')
    .select(['messages.id', 'apps.appId', 'userId', 'messages.createdAt', 'expiresAt'])
    .where('messages.id', '=', id)
    .executeTakeFirst();
}

/** Every delivery of a message, in the order of their ids. */
export async function listDeliveries(db: Db, messageId: string) {
  return db
    .selectFrom('deliveries')
    .selectAll()
    .where('id', '>', messageId)
    .where('id', '<=', lastDeliveryId(messageId))
    .orderBy('id')
    .execute();
}

function lastDeliveryId(messageId: string): string {
  return messageId.slice(0, -4) + 'ffff';
}
