// A provider of OpenID Connect in a process of its own, for tests: oidc-provider, which is an ES module that Jest is not to load. Whoever
// signs in says who they are, and nobody asks for a password.

import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';

import Provider from 'oidc-provider';

/** Claims of those who may sign in, by their subjects; tests say them by `PUT /people/:subject`. */
const people = new Map();
/** Whether keys are told that signed nothing. */
let tellsOtherKeys = false;
/** Whether nothing is answered at all. */
let isSilent = false;

const { clients } = JSON.parse(process.env.OPEN_ID_OPTIONS ?? '{}');
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const issuer = `http://localhost:${port}`;
  server.on('request', serve(createProvider(issuer)));
  process.send?.({ type: 'listening', port, issuer });
});
process.on('disconnect', () => process.exit());

function createKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'RS256' };
}

function createProvider(issuer) {
  return new Provider(issuer, {
    clients: clients.map((client) => ({
      grant_types: ['authorization_code'],
      response_types: ['code'],
      ...client,
    })),
    jwks: { keys: [createKey()] },
    claims: { openid: ['sub'], profile: ['preferred_username', 'roles'], email: ['email'] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    cookies: { keys: ['only a test'] },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, ...people.get(accountId) }),
    }),
    // Everybody consents to everything.
    async loadExistingGrant(ctx) {
      const { client, session } = ctx.oidc;
      const grant = new ctx.oidc.provider.Grant({
        clientId: client.clientId,
        accountId: session.accountId,
      });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  });
}

function serve(provider) {
  const answer = provider.callback();
  return async (req, res) => {
    const { pathname, searchParams } = new URL(req.url, 'http://localhost');
    if (isSilent && !pathname.startsWith('/control')) return;
    try {
      if (pathname.startsWith('/people/')) {
        people.set(decodeURIComponent(pathname.slice('/people/'.length)), await readJson(req));
        return void res.end();
      }
      if (pathname === '/control') {
        const { otherKeys, silent } = await readJson(req);
        [tellsOtherKeys, isSilent] = [otherKeys === true, silent === true];
        return void res.end();
      }
      if (pathname === '/jwks' && tellsOtherKeys) {
        const { kty, n, e, kid, use, alg } = createKey();
        res.setHeader('content-type', 'application/json');
        return void res.end(JSON.stringify({ keys: [{ kty, n, e, kid, use, alg }] }));
      }
      if (!pathname.startsWith('/interaction/')) return void (await answer(req, res));
      const subject = searchParams.get('subject');
      if (subject === null) return sendPage(res);
      await provider.interactionFinished(
        req,
        res,
        subject === ''
          ? { error: 'access_denied', error_description: '<b>No, thank you.</b>' }
          : { login: { accountId: subject } },
      );
    } catch (error) {
      res.statusCode = 500;
      res.end(String(error));
    }
  };
}

/** By GET, so that no policy about forms plays a part. */
function sendPage(res) {
  res.setHeader('content-type', 'text/html; charset=utf-8');
  res.end(`<!doctype html>
<html lang="en">
  <title>Provider</title>
  <h1>Who are you?</h1>
  <form><label>Subject <input name="subject" /></label> <button>Go on</button></form>
  <a href="?subject=">Rather not</a>
</html>`);
}

async function readJson(req) {
  let text = '';
  for await (const chunk of req) text += chunk;
  return JSON.parse(text);
}
