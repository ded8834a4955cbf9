// One throw-away server for a parent that cannot import us (Jest runs CommonJS): told what to do by IPC, gone
// when the parent is.  node infra/local/serve.mjs postgres|redis '{"durable":true}'

import { startPostgres } from './postgres.mjs';
import { startRedis } from './redis.mjs';
import { main, stopOf } from './signals.mjs';

const START = { postgres: startPostgres, redis: startRedis };

await main(async (signal) => {
  const [kind, options = '{}'] = process.argv.slice(2);
  const disconnected = new Promise((resolve) => process.once('disconnect', resolve));
  const server = await START[kind]({ ...JSON.parse(options), signal });
  const tell = (message) => process.connected && process.send({ ...message, pid: server.pid });

  process.on('message', ({ id, verb }) => {
    // `verb` is one of kill, start, restart: what the servers offer.
    server[verb]().then(
      () => tell({ id }),
      (error) => tell({ id, error: error.message }),
    );
  });
  tell({ url: server.url });
  await Promise.race([disconnected, stopOf(signal)]);
  await server.stop();
  return 0;
});
