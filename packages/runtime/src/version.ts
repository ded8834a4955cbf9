import { readFileSync } from 'node:fs';

/** What the `package.json` at this place says. */
export function readVersion(packageFile: URL): string | undefined {
  return /"version": "([^"]+)"/.exec(readFileSync(packageFile, 'utf8'))?.[1];
}
