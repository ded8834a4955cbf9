import { readFileSync } from 'node:fs';

/** The version in the package.json at this place; undefined where it has none. */
export function readVersion(packageJson: URL): string | undefined {
  return /"version": "([^"]+)"/.exec(readFileSync(packageJson, 'utf8'))?.[1];
}
