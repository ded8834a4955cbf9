import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { format, resolveConfig } from 'prettier';

import type { Document } from './document.ts';
import { generate } from './generate.ts';

// Writes src/generated; with --check it fails where that would change something, and writes nothing.

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDER = fileURLToPath(new URL('../src/generated', import.meta.url));

const document: Document = JSON.parse(
  readFileSync(path.join(ROOT, 'docs/api/openapi.json'), 'utf8'),
);
const isCheck = process.argv.includes('--check');
for (const [name, source] of Object.entries(generate(document))) {
  const file = path.join(FOLDER, name);
  const text = await format(source, { ...(await resolveConfig(file)), filepath: file });
  if (!isCheck) {
    writeFileSync(file, text);
  } else if (text !== readFileSync(file, 'utf8')) {
    process.stderr.write(`${name} is stale: npm run generate -w @heliograph/client\n`);
    process.exitCode = 1;
  }
}
