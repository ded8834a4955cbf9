import { toConsoleUserName } from '@heliograph/core';

const MAX_LENGTH = 64;
const MAX_NAMES = 20;

interface Sayings {
  readonly name?: unknown;
  readonly email?: unknown;
  readonly subject?: unknown;
}

/**
 * What somebody may be called here who is new, the best first: as the provider calls them, or else by their e-mail address, or by what it
 * knows them by; and the same with a number, for where somebody else has the name.
 */
export function toUserNames({ name, email, subject }: Sayings): readonly string[] {
  const best = [toName(name), toName(email), toName(subject), toPlainName(subject)].find(
    (one) => one !== undefined,
  );
  if (best === undefined) return [];
  return Array.from({ length: MAX_NAMES }, (_, n) => (n === 0 ? best : withNumber(best, n + 1)));
}

function toName(text: unknown): string | undefined {
  return typeof text === 'string' ? toConsoleUserName(text) : undefined;
}

/** Of a text that is no name, what is left of it. */
function toPlainName(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const plain = text.toLowerCase().replaceAll(/[^a-z0-9._@+-]+/g, '-');
  return toConsoleUserName(plain.replace(/^[^a-z0-9]+/, '').slice(0, MAX_LENGTH)) ?? 'user';
}

function withNumber(name: string, number: number): string {
  const suffix = `-${number}`;
  return name.slice(0, MAX_LENGTH - suffix.length) + suffix;
}
