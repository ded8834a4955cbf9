/** What may stand in the path of a request. Real tokens are hexadecimal; their length must not be assumed. */
const SENDABLE = /^[0-9a-z_-]+$/;

/**
 * The token as APNs wants it: lower case, without the `<`, `>` and spaces of an old way to print one.
 * Undefined where it can't be a token: that must not reach the path of a request.
 */
export function toApnsToken(pushToken: string): string | undefined {
  if (SENDABLE.test(pushToken)) return pushToken;
  const token = pushToken.replaceAll(/[<>\s]/g, '').toLowerCase();
  return SENDABLE.test(token) ? token : undefined;
}
