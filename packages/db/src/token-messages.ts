import { toDeliveryId, type Priority, type Provider } from '@heliograph/core';
import { sql } from 'kysely';

import type { Db } from './database.ts';
import type { StoredDelivery } from './messages.ts';

/** A message to one push token, whoever's device it is. */
export interface TokenMessage {
  /** From `createMessageId`. */
  readonly id: string;
  /** The token is looked for in all of them, and found in one. */
  readonly appRefs: readonly number[];
  readonly pushTokenHash: Buffer;
  /** What the body is made for; a device of another provider is not sent to. */
  readonly provider: Provider;
  readonly silent: boolean;
  readonly priority: Priority;
  /** JSON text of the body. */
  readonly body: string;
  readonly expiresAt: Date;
  /** W3C `traceparent` of what asked for it, where that is traced. */
  readonly traceParent?: string | undefined;
}

/** What came of it. Unless it is stored, nothing is. */
export type TokenMessageResult =
  | { readonly kind: 'stored'; readonly delivery: StoredDelivery }
  | {
      readonly kind: 'unknown_token' | 'token_deactivated' | 'other_platform' | 'not_configured';
    };

/**
 * Stores the message with one delivery, in one statement. Of several devices with the token it takes the one that can best be sent to:
 * an active activation before others. The message gets that device's user, and is for nobody else.
 */
export async function insertTokenMessage(
  db: Db,
  message: TokenMessage,
): Promise<TokenMessageResult> {
  const { rows } = await sql<{ kind: TokenMessageResult['kind'] }>`
    WITH target AS (
      SELECT d.id AS device_id, d.app_ref, d.user_id, d.provider,
        CASE
          WHEN d.token_deactivated_at IS NOT NULL THEN 'token_deactivated'
          WHEN d.provider <> ${message.provider} THEN 'other_platform'
          WHEN c.app_ref IS NULL THEN 'not_configured'
          ELSE 'stored'
        END AS kind
      FROM devices d
      LEFT JOIN credentials c ON c.app_ref = d.app_ref AND c.provider = d.provider
      WHERE d.push_token_hash = ${message.pushTokenHash} AND d.app_ref = ANY (${message.appRefs}::bigint[])
      ORDER BY d.token_deactivated_at IS NOT NULL, d.provider <> ${message.provider}, c.app_ref IS NULL,
        d.activation_active DESC, d.id
      LIMIT 1
    ), stored AS (
      INSERT INTO messages (id, app_ref, user_id, push_token_hash, silent, personal, priority, body, awaited, expires_at, trace_parent)
      SELECT ${message.id}::uuid, app_ref, user_id, ${message.pushTokenHash}::bytea, ${message.silent}::boolean, false,
        ${message.priority}::text, ${message.body}::json, false, ${message.expiresAt.toISOString()}::timestamptz,
        ${message.traceParent ?? null}::text
      FROM target WHERE kind = 'stored'
    ), owed AS (
      INSERT INTO deliveries (id, message_id, app_ref, device_id, provider, state, next_attempt_at)
      SELECT ${toDeliveryId(message.id, 1)}::uuid, ${message.id}::uuid, app_ref, device_id, provider, 'pending', now()
      FROM target WHERE kind = 'stored'
    )
    SELECT kind FROM target`.execute(db);
  const kind = rows[0]?.kind ?? 'unknown_token';
  if (kind !== 'stored') return { kind };
  const { id: messageId, provider } = message;
  return {
    kind,
    delivery: { id: toDeliveryId(messageId, 1), messageId, provider, state: 'pending' },
  };
}
