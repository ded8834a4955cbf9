import { JWT } from 'google-auth-library';
import { createSandbox, type Sandbox, type ServiceAccount } from '../index.ts';
import { isObject, parseJson } from '../json.ts';
import { mint, post, postAssertion, signAssertion } from '../test-clients/fcm-client.ts';
import { TOKEN_REFUSALS } from './google-token-endpoint.ts';

const now = () => Math.floor(Date.now() / 1000);

let sandbox: Sandbox;
let account: ServiceAccount;

beforeAll(async () => {
  sandbox = await createSandbox({ accessTokenSeconds: 1800 });
  account = await sandbox.addServiceAccount('token-project');
});
afterAll(() => sandbox.close());
afterEach(() => sandbox.clearScripts());

const exchange = (assertion: string) => postAssertion(sandbox.tokenUrl, sandbox.caPem, assertion);

const send = (accessToken: string) =>
  post(
    `${sandbox.fcmUrl}/v1/projects/token-project/messages:send`,
    sandbox.caPem,
    { authorization: `Bearer ${accessToken}` },
    JSON.stringify({ message: { token: 'device' } }),
  );

describe('POST /token', () => {
  test('gives an access token for a signed assertion', async () => {
    const { status, body } = await exchange(signAssertion(account));

    expect(status).toBe(200);
    const access_token = expect.stringMatching(/^ya29\./);
    expect(body).toEqual({ access_token, expires_in: 1800, token_type: 'Bearer' });
  });

  test('takes the assertion that google-auth-library makes', async () => {
    const file = parseJson(account.json);
    if (!isObject(file)) throw new Error('Not a service account.');
    const client = new JWT({
      email: account.clientEmail,
      key: String(file['private_key']),
      keyId: account.keyId,
      scopes: ['https://www.googleapis.com/auth/firebase.messaging'],
    });
    // Google's address is fixed in the library, so its request is carried over to ours.
    jest.spyOn(client.transporter, 'request').mockImplementation(async (options) => {
      const form = new URLSearchParams(options?.data as string);
      const { body, status } = await exchange(form.get('assertion') ?? '');
      return { data: body, status } as never;
    });

    const { access_token } = await client.authorize();

    expect(access_token).toMatch(/^ya29\./);
  });

  test.each([
    ['another audience', { aud: 'https://accounts.google.com' }, {}, 'invalid_grant'],
    ['more than an hour', { exp: now() + 7200 }, {}, 'invalid_grant'],
    ['an hour that is over', { iat: now() - 7200, exp: now() - 3600 }, {}, 'invalid_grant'],
    ['an hour to come', { iat: now() + 600, exp: now() + 4200 }, {}, 'invalid_grant'],
    ['no times', { iat: undefined, exp: undefined }, {}, 'invalid_grant'],
    ['an unknown account', { iss: 'nobody@example.com' }, {}, 'invalid_grant'],
    ['an unknown key', {}, { kid: 'unknown' }, 'invalid_grant'],
    ['another algorithm', {}, { alg: 'HS256' }, 'invalid_grant'],
    ['another scope', { scope: 'email' }, {}, 'invalid_scope'],
  ])('refuses an assertion for %s', async (_, claims, header, error) => {
    const { status, body } = await exchange(signAssertion(account, claims, header));

    expect(status).toBe(400);
    expect(body).toMatchObject({ error, error_description: expect.any(String) });
  });

  test('refuses an assertion that another account has signed', async () => {
    const stranger = await sandbox.addServiceAccount('stranger');

    const { body } = await exchange(
      signAssertion(stranger, { iss: account.clientEmail }, { kid: account.keyId }),
    );

    expect(body).toMatchObject({ error: 'invalid_grant' });
  });

  test('knows one grant only', async () => {
    const { status, body } = await post(
      sandbox.tokenUrl,
      sandbox.caPem,
      {},
      'grant_type=client_credentials',
    );

    expect(status).toBe(400);
    expect(body).toMatchObject({ error: 'unsupported_grant_type' });
  });

  test.each([...TOKEN_REFUSALS])('can be scripted to answer %s (%i)', async (reason, status) => {
    sandbox.script('google-token', account.clientEmail, [{ kind: 'refuse', reason }]);

    const refused = await exchange(signAssertion(account));
    const next = await exchange(signAssertion(account));

    expect(refused).toMatchObject({ status, body: { error: reason } });
    expect(next.status).toBe(200);
  });
});

describe('an access token', () => {
  test('is good until it is revoked', async () => {
    const accessToken = await mint(sandbox.tokenUrl, sandbox.caPem, account);

    const before = await send(accessToken);
    sandbox.revokeAccessTokens();
    const after = await send(accessToken);

    expect([before.status, after.status]).toEqual([200, 401]);
  });
});
