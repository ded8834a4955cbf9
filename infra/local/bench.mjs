// `npm run bench -- SCENARIO… [--json]`: the scenarios, against a PostgreSQL and a Redis that write to disk as in
// production.

import { build } from './build.mjs';
import { ensureForeign } from './debian.mjs';
import { ROOT } from './folders.mjs';
import { installIfNeeded } from './install.mjs';
import { runHere } from './run.mjs';
import { startServers } from './servers.mjs';
import { main } from './signals.mjs';

await main(async (signal) => {
  await installIfNeeded(signal);
  await build(signal);
  const durable = true;
  const servers = await startServers({ postgres: { durable }, redis: { durable }, signal });
  try {
    const env = {
      ...process.env,
      BENCH_DATABASE_URL: servers.postgres.url,
      BENCH_REDIS_URL: servers.redis.url,
      ...(await find('nginx-echo', 'BENCH_NGINX')),
      ...(await find('chromium', 'BENCH_CHROMIUM')),
    };
    const source = [
      '--conditions=@heliograph/source',
      '--import',
      'tsx',
      'packages/testing/bench/main.ts',
    ];
    return await runHere(process.execPath, [...source, ...process.argv.slice(2)], {
      cwd: ROOT,
      env,
      signal,
    });
  } finally {
    await servers.stop();
  }
});

/** For the scenarios that need it; the others do without. */
async function find(program, variable) {
  const { path, reason } = await ensureForeign(program);
  return path === undefined ? { [`${variable}_REASON`]: reason } : { [variable]: path };
}
