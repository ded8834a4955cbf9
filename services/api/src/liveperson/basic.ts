import { createHash, timingSafeEqual } from 'node:crypto';

import type { SecretBox } from '@heliograph/core';
import { toBasicPlace, type KnownSender } from '@heliograph/db';

/**
 * What is kept of a user name and password: a hash that is cheap to check on every push. It is sealed where it is stored, so that
 * nobody who sees the database can try passwords against it.
 */
export function toBasicDigest(username: string, password: string): Buffer {
  return digest(Buffer.from(`${username}:${password}`));
}

const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i;

/** Whether the `Authorization` header is what the sender is to show, if it is to show any. */
export function passesBasic(
  secrets: SecretBox,
  sender: KnownSender,
  authorization: string | undefined,
): boolean {
  if (sender.sealedBasic === null) return true;
  const given = BASIC.exec(authorization ?? '')?.[1];
  if (given === undefined) return false;
  const expected = secrets.open(sender.sealedBasic, toBasicPlace(sender));
  return timingSafeEqual(digest(Buffer.from(given, 'base64')), expected);
}

function digest(userAndPassword: Buffer): Buffer {
  return createHash('sha256').update(userAndPassword).digest();
}
