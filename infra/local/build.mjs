// The build. The compiler knows best what is out of date, and needs 0.3 s to say that nothing is.

import path from 'node:path';
import { ROOT } from './folders.mjs';
import { run } from './run.mjs';

/** Compiles what changed; rejects with the compiler's words. */
export async function build(signal) {
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '-b'], { cwd: ROOT, signal });
}
