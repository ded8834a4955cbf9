import { randomUUID } from 'node:crypto';
import { constants } from 'node:http2';
import { createSandbox, type Sandbox } from '../index.ts';
import {
  openApnsClient,
  signProviderToken,
  toApnsClient,
  type ApnsClient,
} from '../test-clients/apns-client.ts';
import { openHastyH2Client } from '../test-clients/h2-client.ts';
import { ENVIRONMENT_PREFIXES } from './push-rules.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const VOIP = { 'apns-push-type': 'voip', 'apns-topic': 'com.example.app.voip' };

const big = (bytes: number) => JSON.stringify({ a: 'x'.repeat(bytes - '{"a":""}'.length) });
const path = (text: string) => ({ ':path': text });
const minutesAgo = (minutes: number) => Math.floor(Date.now() / 1000) - minutes * 60;

let sandbox: Sandbox;
let client: ApnsClient;
let developmentClient: ApnsClient;

beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  const { apnsUrl, apnsDevelopmentUrl, caPem, credentials } = sandbox;
  client = await openApnsClient(apnsUrl, caPem, credentials.apns);
  developmentClient = await openApnsClient(apnsDevelopmentUrl, caPem, credentials.apns);
});
afterEach(() => {
  client.close();
  developmentClient.close();
});

describe('POST /3/device/<token>', () => {
  test('accepts a push, echoes its apns-id and records it', async () => {
    const apnsId = randomUUID();
    const headers = {
      'apns-id': apnsId,
      'apns-expiration': '0',
      'apns-priority': '10',
      'apns-collapse-id': 'news',
    };

    const answer = await client.push({ token: 'ab01', headers });

    expect(answer).toMatchObject({ status: 200, body: '', headers: { 'apns-id': apnsId } });
    expect(answer.headers).not.toHaveProperty('apns-unique-id');
    const [push] = sandbox.received({ token: 'ab01' });
    expect(push).toMatchObject({
      provider: 'apns',
      environment: 'production',
      headers: { ...headers, 'apns-topic': 'com.example.app', 'apns-push-type': 'alert' },
      body: { aps: { alert: 'Hello' } },
      answer: { kind: 'accept', status: 200 },
    });
  });

  test('makes an apns-id where none was sent, and on the development host an apns-unique-id', async () => {
    const { headers } = await developmentClient.push({ token: 'ab02' });

    expect(headers['apns-id']).toMatch(UUID);
    expect(headers['apns-unique-id']).toMatch(UUID);
    expect(sandbox.received({ token: 'ab02' })).toMatchObject([{ environment: 'development' }]);
  });

  test.each([
    { environment: 'production', status: [200, 400] },
    { environment: 'development', status: [400, 200] },
  ] as const)('takes a token of the $environment environment there only', async (row) => {
    const token = `${ENVIRONMENT_PREFIXES[row.environment]}01`;

    const answers = [await client.push({ token }), await developmentClient.push({ token })];

    expect(answers.map(({ status }) => status)).toEqual(row.status);
    expect(answers.find(({ status }) => status === 400)?.reason).toBe('BadDeviceToken');
  });

  test.each([
    { body: big(4096), headers: {}, of: 'a payload of 4096 bytes' },
    { body: big(5120), headers: VOIP, of: 'a voip payload of 5120 bytes' },
    { headers: { 'apns-push-type': '' }, of: 'a push without a type' },
    { headers: { 'apns-priority': '1' }, of: 'priority 1' },
    { headers: { 'apns-push-type': 'background', 'apns-priority': '5' }, of: 'background at 5' },
    { headers: { 'apns-collapse-id': 'é'.repeat(31) }, of: 'a collapse id of 62 bytes' },
  ])('accepts $of', async ({ body, headers }) => {
    const answer = await client.push({ token: 'ab03', headers, ...(body && { body }) });

    expect(answer.status).toBe(200);
  });

  test.each([
    ['BadPath', 404, { headers: path('/4/device/ab') }],
    ['MethodNotAllowed', 405, { headers: { ':method': 'PUT' } }],
    ['MissingDeviceToken', 400, { headers: path('/3/device/') }],
    ['MissingDeviceToken', 400, { headers: path('/3/device') }],
    ['BadDeviceToken', 400, { token: 'not-hex' }],
    ['BadDeviceToken', 400, { token: 'abc' }],
    ['MissingTopic', 400, { headers: { 'apns-topic': '' } }],
    ['BadTopic', 400, { headers: { 'apns-topic': 'no spaces' } }],
    ['BadTopic', 400, { headers: { 'apns-push-type': 'voip' } }],
    ['TopicDisallowed', 400, { headers: { 'apns-topic': 'com.example.other' } }],
    ['BadMessageId', 400, { headers: { 'apns-id': randomUUID().toUpperCase() } }],
    ['BadPriority', 400, { headers: { 'apns-priority': '7' } }],
    ['BadPriority', 400, { headers: { 'apns-push-type': 'background' } }],
    ['BadPriority', 400, { headers: { 'apns-push-type': 'background', 'apns-priority': '10' } }],
    ['InvalidPushType', 400, { headers: { 'apns-push-type': 'shout' } }],
    ['BadExpirationDate', 400, { headers: { 'apns-expiration': 'tomorrow' } }],
    ['BadCollapseId', 400, { headers: { 'apns-collapse-id': 'é'.repeat(33) } }],
    ['DuplicateHeaders', 400, { headers: { 'apns-collapse-id': ['a', 'b'] } }],
    ['PayloadEmpty', 400, { body: '' }],
    ['PayloadEmpty', 400, { body: 'alert!' }],
    ['PayloadTooLarge', 413, { body: big(4097) }],
    ['PayloadTooLarge', 413, { body: big(200_000) }],
    ['PayloadTooLarge', 413, { body: big(5121), headers: VOIP }],
    ['MissingProviderToken', 403, { headers: { authorization: '' } }],
    ['InvalidProviderToken', 403, { headers: { authorization: 'bearer a.b.c' } }],
  ])('refuses with %s (%i)', async (reason, status, push) => {
    const answer = await client.push({ token: 'ab04', ...push });

    expect(answer).toMatchObject({ status, reason });
    expect(answer.headers['apns-id']).toMatch(UUID);
  });
});

describe('the authorization of a push', () => {
  test.each([
    ['older than an hour', { iat: minutesAgo(61) }, {}, 'ExpiredProviderToken'],
    ['from the future', { iat: minutesAgo(-10) }, {}, 'InvalidProviderToken'],
    ['without a time', { iat: undefined }, {}, 'InvalidProviderToken'],
    ['of an unknown team', { iss: 'TEAM000000' }, {}, 'InvalidProviderToken'],
    ['of an unknown key', {}, { kid: 'KEY0000000' }, 'InvalidProviderToken'],
    ['with another algorithm', {}, { alg: 'none' }, 'InvalidProviderToken'],
  ])('is refused when %s', async (_, claims, header, reason) => {
    const authorization = signProviderToken(sandbox.credentials.apns, claims, header);

    const answer = await client.push({ token: 'ab05', headers: { authorization } });

    expect(answer).toMatchObject({ status: 403, reason });
  });

  test('is refused when signed by a key other than it names', async () => {
    const { teamId, keyId } = sandbox.credentials.apns;
    const other = sandbox.addApnsKey({ teamId });
    const authorization = signProviderToken({ ...other, teamId, keyId });

    const answer = await client.push({ token: 'ab05', headers: { authorization } });

    expect(answer).toMatchObject({ status: 403, reason: 'InvalidProviderToken' });
  });

  test('is refused when its key is of the other environment', async () => {
    const key = sandbox.addApnsKey({ environment: 'development' });
    const headers = { authorization: signProviderToken(key) };

    const answer = await client.push({ token: 'ab05', headers });
    const inDevelopment = await developmentClient.push({ token: 'ab05', headers });

    expect(answer).toMatchObject({ status: 403, reason: 'BadEnvironmentKeyIdInToken' });
    expect(inDevelopment.status).toBe(200);
  });

  test('binds the connection to one team and key', async () => {
    const sibling = sandbox.addApnsKey({ teamId: sandbox.credentials.apns.teamId });
    const stranger = sandbox.addApnsKey();
    await client.push({ token: 'ab06' });

    const push = (key: typeof sibling) =>
      client.push({ token: 'ab06', headers: { authorization: signProviderToken(key) } });

    expect(await push(sibling)).toMatchObject({ status: 403, reason: 'UnrelatedKeyIdInToken' });
    expect(await push(stranger)).toMatchObject({ status: 403, reason: 'InvalidProviderToken' });
  });

  test('may not be renewed within 20 minutes on one connection, but the old one stays good', async () => {
    const renewed = signProviderToken(sandbox.credentials.apns);
    await client.push({ token: 'ab07' });

    const refused = await client.push({ token: 'ab07', headers: { authorization: renewed } });
    const old = await client.push({ token: 'ab07' });

    expect(refused).toMatchObject({ status: 429, reason: 'TooManyProviderTokenUpdates' });
    expect(old.status).toBe(200);
  });

  test('may be renewed at once after it was refused as expired', async () => {
    const renewed = signProviderToken(sandbox.credentials.apns);

    const expired = await client.push({ token: 'fa114030aa' });
    const answer = await client.push({ token: 'ab08', headers: { authorization: renewed } });

    expect(expired).toMatchObject({ status: 403, reason: 'ExpiredProviderToken' });
    expect(answer.status).toBe(200);
  });
});

describe('the stream limit of a connection', () => {
  test('is 1 until a push with a valid token was answered', async () => {
    const { session } = client;
    expect(session.remoteSettings.maxConcurrentStreams).toBe(1);

    await client.push({ token: 'ab09', headers: { authorization: '' } });
    expect(session.remoteSettings.maxConcurrentStreams).toBe(1);

    const raised = new Promise((resolve) => session.once('remoteSettings', resolve));
    await client.push({ token: 'ab09' });
    await raised;
    expect(session.remoteSettings.maxConcurrentStreams).toBe(1000);
  });

  test('refuses the rest of a burst that does not wait for it', async () => {
    const { apnsUrl, caPem, credentials } = sandbox;
    const hasty = toApnsClient(openHastyH2Client(apnsUrl, caPem), credentials.apns);

    const burst = await Promise.all(['ab10', 'ab11'].map((token) => hasty.push({ token })));
    hasty.close();

    expect(burst.map(({ status, rstCode }) => ({ status, rstCode }))).toEqual([
      { status: 200, rstCode: 0 },
      { status: undefined, rstCode: constants.NGHTTP2_REFUSED_STREAM },
    ]);
    expect(sandbox.received({ token: 'ab11' })).toEqual([]);
  });
});
