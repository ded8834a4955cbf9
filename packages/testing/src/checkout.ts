import { fileURLToPath } from 'node:url';

/** A file of this checkout by its path in it. */
export function inCheckout(file: string): string {
  return fileURLToPath(new URL(`../../../${file}`, import.meta.url));
}

/** A variable that `npm test` sets. */
export function fromNpmTest(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set; run tests by \`npm test -- FILE\`.`);
  return value;
}
