import { randomBytes } from 'node:crypto';

/** Letters of the Latin alphabet, digits, and what e-mail addresses have between them. */
const NAME = /^[a-z0-9][a-z0-9._@+-]{0,63}$/;
export const NAME_RULE =
  'a name has 1 to 64 letters a to z, digits and . _ @ + -, and begins with a letter or digit';

/** In characters, as people count them. */
export const MIN_PASSWORD_LENGTH = 12;
export const MAX_PASSWORD_LENGTH = 256;
export const PASSWORD_RULE = `a password has ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters`;

const GENERATED_BYTES = 18;

/** The one spelling of a console user's name; undefined where it can't be one. */
export function toConsoleUserName(text: string): string | undefined {
  const name = text.trim().toLowerCase();
  return NAME.test(name) ? name : undefined;
}

/** Length alone: rules about kinds of characters make passwords worse. */
export function isPasswordLongEnough(password: string): boolean {
  const { length } = Array.from(password);
  return length >= MIN_PASSWORD_LENGTH && length <= MAX_PASSWORD_LENGTH;
}

/** A password that nobody guesses, to be shown once. */
export function generatePassword(): string {
  return randomBytes(GENERATED_BYTES).toString('base64url');
}
