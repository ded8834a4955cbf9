import { Buffer } from 'node:buffer';
import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { createSandbox, type Sandbox } from '../index.ts';
import { toApnsClient } from '../test-clients/apns-client.ts';
import { openH2Client, type ClientIdentity, type H2Client } from '../test-clients/h2-client.ts';

let sandbox: Sandbox;
const clients: H2Client[] = [];

beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(() => sandbox.close());
afterEach(() => clients.splice(0).forEach((client) => client.close()));

/** Pushes without a provider token, over a connection with that certificate. */
async function push(
  identity: ClientIdentity,
  headers: Record<string, string> = {},
  url = sandbox.apnsUrl,
) {
  const client = await openH2Client(url, sandbox.caPem, identity);
  clients.push(client);
  const { status, reason } = await toApnsClient(client, sandbox.credentials.apns).push({
    token: randomUUID().replaceAll('-', ''),
    headers: { authorization: '', ...headers },
  });
  return { status, reason };
}

const ACCEPTED = { status: 200, reason: undefined };
const topic = (text: string) => ({ 'apns-topic': text });

describe('a connection with a certificate of the sandbox', () => {
  test('needs no provider token, and ignores a wrong one', async () => {
    const certificate = sandbox.addApnsCertificate();

    expect(await push(certificate)).toEqual(ACCEPTED);
    expect(await push(certificate, { authorization: 'bearer nonsense' })).toEqual(ACCEPTED);
  });

  test('is good on both hosts, or on the one that its certificate is for', async () => {
    const both = sandbox.addApnsCertificate();
    const development = sandbox.addApnsCertificate({ environment: 'development' });
    const refused = { status: 403, reason: 'BadCertificateEnvironment' };

    expect(await push(both, {}, sandbox.apnsDevelopmentUrl)).toEqual(ACCEPTED);
    expect(await push(development, {}, sandbox.apnsDevelopmentUrl)).toEqual(ACCEPTED);
    expect(await push(development)).toEqual(refused);
  });

  test('may push to the topics of its certificate only', async () => {
    const certificate = sandbox.addApnsCertificate({ bundle: 'com.example.one' });
    const voip = { ...topic('com.example.one.voip'), 'apns-push-type': 'voip' };

    expect(await push(certificate, topic('com.example.one'))).toEqual(ACCEPTED);
    expect(await push(certificate, voip)).toEqual(ACCEPTED);
    expect(await push(certificate, topic('com.example.two'))).toEqual({
      status: 400,
      reason: 'TopicDisallowed',
    });
  });

  test('may leave the topic out where its certificate has only one', async () => {
    const one = sandbox.addApnsCertificate({ topics: ['com.example.app'] });
    const two = sandbox.addApnsCertificate();

    expect(await push(one, topic(''))).toEqual(ACCEPTED);
    expect(await push(two, topic(''))).toEqual({ status: 400, reason: 'MissingTopic' });
  });
});

describe('a connection is refused its pushes', () => {
  const refused = { status: 403, reason: 'BadCertificate' };

  test('with a certificate of another authority', async () => {
    const stranger = await createSandbox();

    const answer = await push(stranger.addApnsCertificate());
    await stranger.close();

    expect(answer).toEqual(refused);
  });

  test('with a certificate that has expired', async () => {
    expect(await push(sandbox.addApnsCertificate({ days: -1 }))).toEqual(refused);
  });
});

test('the certificate among the credentials is one file with its key', async () => {
  const { bundle, certificateBase64 } = sandbox.credentials.apnsCertificate;
  const pem = Buffer.from(certificateBase64, 'base64');

  const certificate = new X509Certificate(pem);

  expect(certificate.subject).toBe(`UID=${bundle}\nCN=Apple Push Services: ${bundle}`);
  expect(certificate.checkPrivateKey(createPrivateKey(pem))).toBe(true);
  expect(await push({ certPem: pem.toString(), keyPem: pem.toString() })).toEqual(ACCEPTED);
});
