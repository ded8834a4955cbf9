export interface Receiver {
  readonly userId: string;
  readonly carrier: string;
}

/**
 * Reads a receiver as it stands in the path, percent-encoded: `username@carrier`, the `@` raw or as `%40`, or a username alone, which
 * gets the first of the carriers. Undefined where the carrier is none of them, and for what can't be anybody's name.
 */
export function parseReceiver(segment: string, carriers: readonly string[]): Receiver | undefined {
  const text = decode(segment);
  if (text === undefined) return undefined;
  // A username may hold an @ itself, a carrier may not.
  const at = text.lastIndexOf('@');
  const userId = at === -1 ? text : text.slice(0, at);
  const carrier = at === -1 ? carriers[0] : text.slice(at + 1);
  if (carrier === undefined || !carriers.includes(carrier)) return undefined;
  // PostgreSQL's texts hold no NUL.
  return userId === '' || userId.includes('\0') ? undefined : { userId, carrier };
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
