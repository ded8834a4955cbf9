// `npm run heliograph -- COMMAND …`: the command line of services/cli, as it is built.

import path from 'node:path';
import { build } from './build.mjs';
import { ROOT } from './folders.mjs';
import { installIfNeeded } from './install.mjs';
import { runHere } from './run.mjs';
import { main } from './signals.mjs';

await main(async (signal) => {
  await installIfNeeded(signal);
  await build(signal);
  const cli = path.join(ROOT, 'services/cli/dist/main.js');
  return await runHere(process.execPath, [cli, ...process.argv.slice(2)], {
    // Files are named from where npm was called.
    cwd: process.env.INIT_CWD ?? process.cwd(),
    signal,
  });
});
