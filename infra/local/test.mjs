// `npm test [jest arguments]`: the tests, against a PostgreSQL and a Redis of their own.

import path from 'node:path';
import { ensureChecks, findChecks } from './checks.mjs';
import { FOREIGN, ensureForeign, findProgram } from './debian.mjs';
import { ROOT } from './folders.mjs';
import { installIfNeeded } from './install.mjs';
import { runHere } from './run.mjs';
import { startServers } from './servers.mjs';
import { main } from './signals.mjs';

await main(async (signal) => {
  await installIfNeeded(signal);
  const servers = await startServers({ signal });
  try {
    const env = {
      ...process.env,
      TEST_DATABASE_URL: servers.postgres.url,
      TEST_REDIS_URL: servers.redis.url,
      ...(await foreignServers()),
    };
    const jest = path.join(ROOT, 'node_modules/jest/bin/jest.js');
    return await runHere(process.execPath, [jest, ...process.argv.slice(2)], {
      cwd: ROOT,
      env,
      signal,
    });
  } finally {
    await servers.stop();
  }
});

/** Fetched for CI, which must not pass over a test; elsewhere a test without its foreign server is skipped. */
async function foreignServers() {
  const env = {};
  for (const name of FOREIGN) {
    const found = process.env.CI ? await ensureForeign(name) : { path: findProgram(name) };
    const variable = `TEST_FOREIGN_${name.toUpperCase()}`;
    if (found.path !== undefined) env[variable] = found.path;
    if (found.reason !== undefined) env[`${variable}_REASON`] = found.reason;
  }
  const checks = process.env.CI ? await ensureChecks() : { path: findChecks() };
  if (checks.path !== undefined) env.TEST_FOREIGN_CHECKS = checks.path;
  if (checks.reason !== undefined) env.TEST_FOREIGN_CHECKS_REASON = checks.reason;
  return env;
}
