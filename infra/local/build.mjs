// The build. The compiler knows best what is out of date, and needs 0.3 s to say that nothing is; the console's bundler doesn't.

import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './folders.mjs';
import { run } from './run.mjs';

const CONSOLE = path.join(ROOT, 'services/console');
/** What the console is made of. */
const CONSOLE_SOURCES = ['services/console', 'packages/client/src', 'package-lock.json'];

/** Compiles what changed; rejects with the words of the compiler or of the bundler. */
export async function build(signal) {
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '-b'], { cwd: ROOT, signal });
  if (isConsoleBuilt()) return;
  const vite = path.join(ROOT, 'node_modules/vite/bin/vite.js');
  await run(process.execPath, [vite, 'build', CONSOLE, '--logLevel', 'warn'], {
    cwd: ROOT,
    signal,
  });
}

function isConsoleBuilt() {
  const built = changedAt(path.join(CONSOLE, 'dist/index.html'));
  return CONSOLE_SOURCES.every((source) => latestChange(path.join(ROOT, source)) < built);
}

function latestChange(source) {
  const files = statSync(source, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(source, { recursive: true }).filter(
        (name) => !/^(?:dist|test|node_modules)\b/.test(name),
      )
    : [];
  return Math.max(changedAt(source), ...files.map((name) => changedAt(path.join(source, name))));
}

/** 0 for what is not there. A folder's own time changes when something in it is removed, but also when the bundle is written. */
function changedAt(file) {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFile() ? found.mtimeMs : 0;
}
