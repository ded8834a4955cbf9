import type { HeaderField } from '../request.ts';

// Expressions, because they take half the time of a loop.
/** The `token` of RFC 9110 without capitals (RFC 9113 section 8.2), which leaves out pseudo-fields, too. */
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const NOT_PRINTABLE = /[^\x20-\x7e]/;
const NOT_VISIBLE = /[^\x21-\x7e]/;

// The errors name no value: it may be a secret.

/** Throws a `TypeError` where it is empty or has anything but visible ASCII. */
export function refuseBadPath(path: string): void {
  if (path.length === 0 || NOT_VISIBLE.test(path)) throw new TypeError('a path is visible ASCII');
}

/** Throws a `TypeError` where a field could be taken for another one, or for two. */
export function refuseBadFields(fields: readonly HeaderField[]): void {
  for (const field of fields) {
    if (!NAME.test(field[0])) throw new TypeError('a field name is a token in lower case');
  }
  refuseBadValues(fields);
}

/** Of fields whose names are ours. */
export function refuseBadValues(fields: readonly HeaderField[]): void {
  for (const field of fields) {
    if (NOT_PRINTABLE.test(field[1])) {
      throw new TypeError(`the value of ${field[0]} is not printable ASCII`);
    }
  }
}
