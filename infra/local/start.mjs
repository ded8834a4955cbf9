// `npm start`: everything on this machine, until Ctrl-C.

import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { build } from './build.mjs';
import { dataFolder } from './folders.mjs';
import { installIfNeeded } from './install.mjs';
import { lockFolder } from './lock.mjs';
import { main, stopOf } from './signals.mjs';
import { startStack } from './stack.mjs';

const { DATABASE_URL, REDIS_URL, PROVIDERS, PORT } = process.env;

await main(async (signal) => {
  const providers = chosenProviders();
  const port = chosenPort();
  const folder = dataFolder();
  // A database remembers whether it is for real, and refuses to be used otherwise: so there are two.
  const own = (name) => path.join(folder, providers === 'live' ? `${name}-live` : name);
  const unlock = await lockFolder(folder);
  try {
    await installIfNeeded(signal);
    await build(signal);
    const stack = await startStack({
      folder,
      providers,
      port,
      postgres: DATABASE_URL ? { url: DATABASE_URL } : { folder: own('postgres') },
      redis: REDIS_URL ? { url: REDIS_URL } : { folder: own('redis') },
      signal,
    });
    try {
      console.log(banner(stack, folder));
      await Promise.race([stopOf(signal), stack.failure()]);
      console.log('\nStopping …');
    } finally {
      await stack.stop();
    }
  } finally {
    unlock();
  }
  return 0;
});

/** A database that is not ours may hold real devices: nobody sends to them, or to fakes instead, by default. */
function chosenProviders() {
  if (PROVIDERS === 'live' || PROVIDERS === 'sandbox') return PROVIDERS;
  if (PROVIDERS) throw new Error(`PROVIDERS=${PROVIDERS} is neither live nor sandbox.`);
  if (DATABASE_URL) {
    throw new Error(
      'With DATABASE_URL set, say who delivers: PROVIDERS=live sends for real, PROVIDERS=sandbox to the fake providers.',
    );
  }
  return 'sandbox';
}

function chosenPort() {
  const port = Number(PORT || 8080);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new Error(`PORT=${PORT} is no port.`);
}

function banner({ api: { baseUrl, key }, metricsUrls, controlUrl, appId }, folder) {
  const head = [
    `Heliograph is ready at ${baseUrl}   (data and logs: ${folder}, stop: Ctrl-C)`,
    `Metrics of api and dispatcher:  ${metricsUrls.join('  ')}`,
  ];
  if (controlUrl === undefined)
    return [
      '',
      ...head,
      'Messages go to the real providers.',
      `Its API key for everything:  ${key}`,
      '',
    ].join('\n');

  const post = (route, requestObject) =>
    `curl -s ${baseUrl}${route} -H "$AUTH" -H 'content-type: application/json' -d '${JSON.stringify({ requestObject })}'`;
  const device = {
    appId,
    activationId: 'demo-1',
    userId: 'alice',
    platform: 'ios',
    token: 'a1'.repeat(32),
  };
  const message = { userId: 'alice', body: { title: 'Hello', body: 'It works.' } };
  const idOf = `node -p 'JSON.parse(fs.readFileSync(0)).responseObject.messageIds[0]'`;
  const keyOf = `node -p 'const o = JSON.parse(fs.readFileSync(0)).responseObject; o.developerKey + " " + o.secret'`;
  const developerKey = { appId, name: 'demo', carriers: ['acme.com'] };
  const push = { appMessage: { content: 'Hello' }, push: { content: 'It is signed.' } };
  return [
    '',
    ...head,
    'Messages go to fake providers on this machine. In another terminal, a device, a message to it, and what became of it:',
    '',
    `AUTH='Authorization: Bearer ${key}'`,
    post('/push/device/create', device),
    `ID=$(${post('/push/message/send', { appId, message })} | ${idOf})`,
    `curl -s ${baseUrl}/push/message/$ID -H "$AUTH"`,
    '',
    'A push to the same user as a developer signs it (M800), to the inbox too; from this folder, with a key of its own:',
    '',
    `set -- $(${post('/admin/app/developer-key/create', developerKey)} | ${keyOf})`,
    `npm run -s heliograph -- sign --key $1 --secret $2 --url ${baseUrl}/api/1.0/push/alice@acme.com --body '${JSON.stringify(push)}' | tail -1 | sh`,
    '',
    `To see it in a browser, make yourself a user, and sign in at ${baseUrl}/console/ as ada, with that password:`,
    '',
    post('/admin/user/create', {
      name: 'ada',
      role: 'admin',
      password: randomBytes(9).toString('base64url'),
    }),
    '',
    `The fakes tell what they received:  curl -s ${controlUrl}/received`,
    '',
  ].join('\n');
}
