import { parseInstant } from './instant.ts';

interface Format {
  readonly validate: (text: string) => boolean;
  /** Completes "the field …" for the caller. */
  readonly hint: string;
}

const MAX_PUSH_TOKEN_BYTES = 4096;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** What JSON Schema's `format` may say in our schemas. Every string has one, or it could hold what PostgreSQL cannot. */
export const FORMATS: Readonly<Record<string, Format>> = {
  text: { validate: isStorable, hint: 'must not contain NUL characters or lone surrogates' },
  'push-token': {
    validate: (text) => isStorable(text) && Buffer.byteLength(text) <= MAX_PUSH_TOKEN_BYTES,
    hint: `must be at most ${MAX_PUSH_TOKEN_BYTES} bytes of valid text`,
  },
  byte: { validate: (text) => BASE64.test(text), hint: 'must be Base64' },
  'date-time': {
    validate: (text) => parseInstant(text) !== undefined,
    hint: 'must be an ISO 8601 instant with an offset, or epoch seconds',
  },
};

/** Deeper JSON than this is nobody's message, and recursion has an end. */
const MAX_DEPTH = 32;

/** Whether PostgreSQL can hold every string and key of this JSON, down to a depth that code can walk. */
export function isStorableJson(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return isStorable(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === MAX_DEPTH) return false;
  return Object.entries(value).every(
    ([key, entry]) => isStorable(key) && isStorableJson(entry, depth + 1),
  );
}

/** Half of a pair, or NUL: one quick look, since hardly any string has either. */
const SUSPECT = /[\0\ud800-\udfff]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

function isStorable(text: string): boolean {
  return !SUSPECT.test(text) || (!text.includes('\0') && !LONE_SURROGATE.test(text));
}
