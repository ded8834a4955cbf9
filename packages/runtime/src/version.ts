import { readFileSync } from 'node:fs';

/** The version in a `package.json`, which stands beside a service's folder in all of its builds. */
export function readVersion(packageFile: URL): string | undefined {
  return /"version": "([^"]+)"/.exec(readFileSync(packageFile, 'utf8'))?.[1];
}
