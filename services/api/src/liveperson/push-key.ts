import { createHash } from 'node:crypto';

import { hashPushToken } from '@heliograph/db';

import type { LivePersonPush } from './live-person-push.ts';

const DAY_MS = 24 * 3_600_000;
/** LivePerson repeats three times, 10 s apart; what comes later is a text that was written again. */
const SAME_BODY_MS = 45_000;

export interface HandedPush {
  /** SHA-256 of the sender's certificate. */
  readonly fingerprint: Buffer;
  readonly idempotencyKey: string | undefined;
  readonly push: LivePersonPush;
  /** As it came. */
  readonly bytes: Buffer;
}

/** By what a repeat of the push is known, and how long. LivePerson gives no id: the best of what there is counts. */
export function toPushKey(handed: HandedPush): { readonly key: Buffer; readonly windowMs: number } {
  const { idempotencyKey, push, bytes } = handed;
  const { conversationId, sequence } = push;
  if (idempotencyKey !== undefined && idempotencyKey !== '')
    return { key: hash(handed, 'key', idempotencyKey), windowMs: DAY_MS };
  // Bodies of 2017 have no sequence, and a conversation has many messages.
  if (conversationId !== undefined && sequence !== undefined)
    return { key: hash(handed, 'sequence', conversationId, sequence), windowMs: DAY_MS };
  const body = createHash('sha256').update(bytes).digest('base64');
  return { key: hash(handed, 'body', body), windowMs: SAME_BODY_MS };
}

/** Of one sender and push token: another's push is never taken for a repeat. */
function hash({ fingerprint, push }: HandedPush, ...parts: readonly string[]): Buffer {
  const { brandId, deviceToken } = push;
  const whole = [
    ...parts,
    fingerprint.toString('base64'),
    brandId,
    hashPushToken(deviceToken).toString('base64'),
  ];
  return createHash('sha256').update(JSON.stringify(whole)).digest();
}
