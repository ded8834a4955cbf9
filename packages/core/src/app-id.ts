const CANONICAL_NUMBER = /^[1-9]\d{0,15}$/;

/** An app id as callers get it back: a number where it is a canonical positive integer. */
export function toWireAppId(appId: string): number | string {
  const number = Number(appId);
  return CANONICAL_NUMBER.test(appId) && Number.isSafeInteger(number) ? number : appId;
}
