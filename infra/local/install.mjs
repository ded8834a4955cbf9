// Dependencies: installs them when they are not those of the lock file.
// `--stamp` (npm's postinstall) only notes what has just been installed.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runHere } from './run.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MODULES = path.join(ROOT, 'node_modules');
const STAMP = path.join(MODULES, '.heliograph-stamp');

/** Runs `npm ci` unless what it would install is there already. */
export async function installIfNeeded(signal) {
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted()) return;
  console.log('Installing dependencies (npm ci) …');
  const code = await runHere('npm', ['ci', '--no-audit', '--no-fund'], { cwd: ROOT, signal });
  if (code !== 0) throw new Error(`npm ci failed (${code}).`);
  // Once more here, because npm may be told not to run install scripts.
  stamp();
}

function stamp() {
  if (existsSync(MODULES)) writeFileSync(STAMP, wanted());
}

function wanted() {
  const [major] = process.versions.node.split('.');
  return createHash('sha256')
    .update(readFileSync(path.join(ROOT, 'package-lock.json')))
    .update(`${process.platform} ${process.arch} ${major}`)
    .digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === '--stamp') stamp();
